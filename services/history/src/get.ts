// history.get: a page of one conversation.
import { AppError, type Caller, type historyGet, type ParamsOf } from "@parley/protocol";
import { currentConversation, lastVisible, memberOrRefusal, type Reading } from "./access.ts";
import { readPage } from "./page.ts";

const defaultLimit = 100;

/** The result as JSON text. */
export async function getHistory(
  reading: Reading,
  params: ParamsOf<typeof historyGet>,
  caller: Caller,
): Promise<string | AppError> {
  const { conv, after, before, around, limit = defaultLimit } = params;
  const given = [after, before, around].filter((value) => value !== undefined).length;
  if (around !== undefined && given > 1) return new AppError("invalid_packet", "around goes without after and before");
  const conversation = await currentConversation(reading, conv);
  const member = memberOrRefusal(conversation, caller.uid);
  if (member instanceof AppError) return member;
  const { log } = reading.store;
  const last = lastVisible(member, conversation.lastSeq);
  const range =
    around === undefined
      ? { after, before: before ?? last + 1 }
      : { after: Math.max(0, around - Math.ceil(limit / 2)), before: last + 1 };
  const page = await readPage(log, member, {
    limit,
    before: range.before,
    ...(range.after === undefined ? {} : { after: range.after }),
  });
  const firstSeq = Math.max(member.stays[0]?.[0] ?? 1, await log.first(conv));
  const more =
    range.after === undefined ? page.from > firstSeq : page.to > 0 && page.to < Math.min(last, range.before - 1);
  return `{"messages":[${page.messages.join(",")}],"firstSeq":${firstSeq},"lastSeq":${last},"more":${more}}`;
}
