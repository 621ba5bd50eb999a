// history.get: a page of one conversation.
import { AppError, type Caller, type historyGet, limits, type ParamsOf } from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import { lastVisible } from "../fold/members.ts";
import { cutPage, readPage, tooLarge } from "./page.ts";
import { complete, look, memberOf, type Reading, readerOf } from "./reading.ts";

const defaultLimit = 100;
// Edits go with the messages that they are about, and no log counts them: a reply holds this much.
const mostBytes = 1.5 * limits.pageBytes;

/** The result as JSON text. */
export async function getHistory(
  reading: Reading,
  params: ParamsOf<typeof historyGet>,
  caller: Caller,
): Promise<string | AppError> {
  const { conv, after, before, around, limit = defaultLimit } = params;
  const given = [after, before, around].filter((value) => value !== undefined).length;
  if (around !== undefined && given > 1) return new AppError("invalid_packet", "around goes without after and before");
  const { log } = reading.store;
  const sight = await look(reading);
  const known = await memberOf(reading, conv, caller.uid);
  const head = (await log.heads([conv])).get(conv);
  if (known) await complete(reading, sight, [{ member: known, head }]);
  const lastSeq = head?.seq ?? 0;
  const member = await readerOf(reading, { conv, asker: caller, known, passing: true });
  if (member instanceof AppError) return member;
  const last = lastVisible(member, lastSeq);
  const range =
    around === undefined
      ? { after, before: Math.min(before ?? last + 1, last + 1) }
      : { after: Math.max(0, around - Math.ceil(limit / 2)), before: last + 1 };
  const room = pageRoomOf(caller);
  const query = { limit, before: range.before, maxBytes: room };
  const [read, first] = await Promise.all([
    readPage(reading.store, member, range.after === undefined ? query : { ...query, after: range.after }),
    log.first(conv),
  ]);
  // The log counts bodies; the page counts what is sent.
  const page =
    caller.maxBytes === undefined && read.bytes <= mostBytes
      ? read
      : cutPage(read, room, range.after === undefined ? "newest" : "oldest");
  if (caller.maxBytes !== undefined && page.bytes > room) return tooLarge(conv, page.seqs[0] ?? 0, page.bytes);
  const firstSeq = Math.max(member.stays[0]?.[0] ?? 1, first);
  const more =
    range.after === undefined ? page.from > firstSeq : page.to > 0 && page.to < Math.min(last, range.before - 1);
  return `{"messages":[${page.messages.join(",")}],"firstSeq":${firstSeq},"lastSeq":${last},"more":${more}}`;
}
