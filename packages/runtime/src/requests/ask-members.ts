// The members of a conversation, of the history replica that holds it: page by page, all of one moment.
import { AppError, type MemberList, type MemberPage, type MembersRequest } from "@parley/protocol";
import type { AskHolder } from "./ask-holder.ts";

// A room changes while it is read at most so often; then whoever asks tries again later.
const attemptsMax = 5;

/** Throws as `askHolder` does. undefined: the list is still the one of `known`. */
export async function askMembers(
  askHolder: Pick<AskHolder, "json">,
  request: Omit<MembersRequest, "after">,
): Promise<MemberList | undefined> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const first = await askHolder.json<MemberPage>("members", request.conv, request);
    if (first.unchanged) return undefined;
    const list = await readRest(askHolder, request, first);
    if (list) return list;
  }
  throw new AppError("unavailable", "the members change faster than they can be read");
}

// undefined: somebody came or went between two pages.
async function readRest(
  askHolder: Pick<AskHolder, "json">,
  { conv, seq }: MembersRequest,
  { memberSeq, members, next }: MemberPage,
): Promise<MemberList | undefined> {
  const all = [...members];
  for (let after = next; after !== undefined; ) {
    const body: MembersRequest = { conv, after, ...(seq === undefined ? {} : { seq }) };
    const page = await askHolder.json<MemberPage>("members", conv, body);
    if (page.memberSeq !== memberSeq) return undefined;
    all.push(...page.members);
    after = page.next;
  }
  return { conv, memberSeq, members: all };
}
