// Pages of messages as JSON text: stored bytes are put together, never parsed.
import { AppError, limits } from "@parley/protocol";
import { fittingCount } from "@parley/runtime";
import type { RangeQuery } from "@parley/store";
import { seenAbove, seenBelow, sees } from "../fold/members.ts";
import type { HistoryStore, Member } from "../keep/store.ts";
import { annotateMessages } from "./annotated.ts";

/** One message is more than the caller's device takes. */
export function tooLarge(conv: string, seq: number, bytes: number): AppError {
  const message = `message ${seq} of ${conv} has ${bytes} bytes, more than maxBytes leaves room for`;
  return new AppError("too_large", message, { details: { conv, seq, bytes } });
}

export interface MessagePage {
  /** JSON texts, oldest first */
  messages: string[];
  /** their seqs */
  seqs: number[];
  bytes: number;
  /** the seq of the first and last entry looked at; 0 when there was none */
  from: number;
  to: number;
  /** the page ended for its size, not at the end of what was asked for */
  full: boolean;
}

export interface PageQuery {
  after?: number;
  before?: number;
  limit: number;
  maxBytes?: number;
}

// Edits go with the messages that they are about, and no log counts them: from here on nothing more is looked for.
const annotatedShare = 1.5;

/** The entries of a range that the member may read, within the page's limits: the oldest behind `after`, else the newest. */
export async function readPage(
  store: Pick<HistoryStore, "log" | "annotations" | "timers">,
  member: Member,
  query: PageQuery,
): Promise<MessagePage> {
  const maxBytes = query.maxBytes ?? limits.pageBytes;
  const entries = await store.log.read(member.conv, { ...visible(member, query), maxBytes });
  const readable = entries.filter(({ seq }) => sees(member, seq));
  const isUp = query.after !== undefined;
  const found = await annotateMessages(
    store,
    member,
    isUp ? readable : readable.toReversed(),
    annotatedShare * maxBytes,
  );
  const shown = isUp ? readable.slice(0, found.length) : readable.slice(readable.length - found.length);
  const messages = isUp ? found : found.reverse();
  const isCut = shown.length < readable.length;
  return {
    messages,
    seqs: shown.map(({ seq }) => seq),
    bytes: bytesOf(messages),
    from: (isCut && !isUp ? shown[0]?.seq : entries[0]?.seq) ?? 0,
    to: (isCut && isUp ? shown.at(-1)?.seq : entries.at(-1)?.seq) ?? 0,
    full: isCut || (entries.length < query.limit && entries.length > 0),
  };
}

/** The page without what does not fit into `maxBytes`, commas counted; at least one message stays, the oldest or the newest. */
export function cutPage(page: MessagePage, maxBytes: number, keep: "oldest" | "newest" = "oldest"): MessagePage {
  if (page.bytes <= maxBytes) return page;
  const count = fittingCount(keep === "oldest" ? page.messages : page.messages.toReversed(), maxBytes);
  const range = keep === "oldest" ? ([0, count] as const) : ([-count] as const);
  const messages = page.messages.slice(...range);
  const seqs = page.seqs.slice(...range);
  const ends = keep === "oldest" ? { to: seqs.at(-1) ?? page.to } : { from: seqs[0] ?? page.from };
  return { ...page, messages, seqs, bytes: bytesOf(messages), ...ends, full: true };
}

function bytesOf(messages: readonly string[]): number {
  return messages.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
}

// Begins the range at what the member sees: a page that has nothing to show is the last one.
function visible(member: Member, { after, before, limit }: PageQuery): RangeQuery {
  const upTo = seenBelow(member, before ?? Number.MAX_SAFE_INTEGER) + 1;
  if (after === undefined) return { limit, before: upTo };
  return { limit, after: seenAbove(member, after) - 1, before: upTo };
}
