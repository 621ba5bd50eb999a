// Pages of messages as JSON text: stored bytes are put together, never parsed.
import { limits, renderMessageText } from "@parley/protocol";
import type { LogEntry, MessageLog } from "@parley/store";
import { mayRead } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";

/** One stored entry as the message that is delivered, JSON text. An erased one keeps its place, with empty content. */
export function messageJson(entry: LogEntry): string {
  return renderMessageText(entry, entry.body.byteLength > 0 ? entry.body : erasedBody(entry));
}

function erasedBody({ id, conv }: LogEntry): Uint8Array {
  return Buffer.from(JSON.stringify({ id, to: conv, content: { type: "erased" } }));
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

/** The entries of a range that the member may read, within the page's limits. */
export async function readPage(log: MessageLog, member: Member, query: PageQuery): Promise<MessagePage> {
  const maxBytes = query.maxBytes ?? limits.pageBytes;
  const entries = await log.range(member.conv, { ...visible(member, query), maxBytes });
  const readable = entries.filter(({ seq }) => mayRead(member, seq) && seq > member.deletedTo);
  const messages = readable.map(messageJson);
  return {
    messages,
    seqs: readable.map(({ seq }) => seq),
    bytes: messages.reduce((sum, text) => sum + text.length, 0),
    from: entries[0]?.seq ?? 0,
    to: entries.at(-1)?.seq ?? 0,
    full: entries.length < query.limit && entries.length > 0,
  };
}

/** The page without what does not fit into `maxBytes`; at least one message stays. */
export function cutPage(page: MessagePage, maxBytes: number): MessagePage {
  if (page.bytes <= maxBytes) return page;
  let bytes = 0;
  const end = page.messages.findIndex((text, index) => {
    bytes += text.length;
    return index > 0 && bytes > maxBytes;
  });
  if (end < 0) return page;
  const messages = page.messages.slice(0, end);
  const seqs = page.seqs.slice(0, end);
  bytes = messages.reduce((sum, text) => sum + text.length, 0);
  return { ...page, messages, seqs, bytes, to: seqs.at(-1) ?? page.to, full: true };
}

// Narrows a range to the member's stays, so that a page is not spent on what may not be read.
function visible(
  member: Member,
  { after, before, limit }: PageQuery,
): { after?: number; before?: number; limit: number } {
  const first = Math.max(member.stays[0]?.[0] ?? 1, member.deletedTo + 1);
  const lastLeft = member.stays.at(-1)?.[1] ?? null;
  const upTo = lastLeft === null ? before : Math.min(before ?? lastLeft + 1, lastLeft + 1);
  const from = after === undefined ? undefined : Math.max(after, first - 1);
  return { limit, ...(from === undefined ? {} : { after: from }), ...(upTo === undefined ? {} : { before: upTo }) };
}
