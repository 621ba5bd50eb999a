// Everything the device's cursors lack, page by page, until nothing is missing.
import { limits, type ParamsOf, type ResultOf, type sync } from "@parley/protocol";

export type SyncedConversation = ResultOf<typeof sync>["conversations"][number];

export interface SyncParts {
  ask(params: ParamsOf<typeof sync>): Promise<ResultOf<typeof sync>>;
  cursors(): Record<string, number>;
  /** `at`: when its page was made, in the server's time */
  apply(conversation: SyncedConversation, at?: number): void;
  /** messages a conversation and page; default as many as a page may have */
  limit?: number;
  /** also conversations without new messages, for their marks: all of them, or those that moved since an earlier sync */
  marks?: "all" | { since: number } | undefined;
}

export interface Synced {
  at: number | undefined;
  kept: { drafts: boolean; stars: boolean } | undefined;
}

/** The cursors of the conversations behind `after`, up to `upTo`, which one request can carry. */
interface Stretch {
  cursors: Record<string, number>;
  after?: string;
  upTo?: string;
}

/** What one request takes: the method's limit, and well under the 512 KiB of a body. */
const mostCursors = 10_000;
const mostCursorBytes = 400 * 1024;

/**
 * Ends when `next` is null and no conversation has more, or throws what a request threw. Answers the server's word for
 * `marks.since` of a later one, and what the user keeps beside conversations, if that changed since then.
 */
export async function syncAll(parts: SyncParts): Promise<Synced> {
  let marks = marksOf(parts.marks);
  let first: ResultOf<typeof sync> | undefined;
  for (let more = true; more; marks = {}) {
    more = false;
    for (const stretch of stretchesOf(parts.cursors())) {
      const answer = await syncStretch(parts, stretch, marks);
      first ??= answer.first;
      more ||= answer.more;
    }
  }
  return { at: first?.at, kept: changedKeeps(first?.kept, parts.marks) };
}

function changedKeeps({ drafts, stars }: NonNullable<ResultOf<typeof sync>["kept"]> = {}, marks: SyncParts["marks"]) {
  const since = typeof marks === "object" ? marks.since : 0;
  const isNew = (at: number | undefined) => at !== undefined && at >= since;
  return isNew(drafts) || isNew(stars) ? { drafts: isNew(drafts), stars: isNew(stars) } : undefined;
}

function marksOf(marks: SyncParts["marks"]): Pick<ParamsOf<typeof sync>, "all" | "since"> {
  if (marks === undefined) return {};
  return marks === "all" ? { all: true } : marks;
}

/** Answers whether a conversation has more, and when the first page was made. */
async function syncStretch(
  { ask, apply, limit = limits.pageMessages }: SyncParts,
  { cursors, after, upTo }: Stretch,
  marks: Pick<ParamsOf<typeof sync>, "all" | "since">,
): Promise<{ more: boolean; first: ResultOf<typeof sync> | undefined }> {
  const params = { cursors, limit, ...marks };
  let more = false;
  let first: ResultOf<typeof sync> | undefined;
  let page: Promise<ResultOf<typeof sync>> | undefined = ask({
    ...params,
    ...(after !== undefined && { page: after }),
  });
  while (page) {
    const answer: ResultOf<typeof sync> = await page;
    const { conversations, next, at } = answer;
    first ??= answer;
    // The server works on the next page while this one is shown.
    const isLast: boolean = upTo !== undefined && next !== null && next >= upTo;
    page = isLast || next === null ? undefined : ask({ ...params, page: next });
    page?.catch(() => {});
    for (const conversation of conversations) {
      // Those behind have their cursors in the next stretch: without them the server begins at their start.
      if (upTo !== undefined && conversation.conv > upTo) break;
      apply(conversation, at);
      // Without a message nothing would be different the next time.
      more ||= conversation.more && conversation.messages.length > 0;
    }
  }
  return { more, first };
}

/** The server goes through conversations in the order of their names, and `page` is the name of the last one. */
export function stretchesOf(cursors: Record<string, number>): Stretch[] {
  const entries = Object.entries(cursors).sort(([one], [other]) => (one < other ? -1 : 1));
  const stretches: Stretch[] = [];
  let some: [string, number][] = [];
  let bytes = 0;
  let after: string | undefined;
  for (const [index, entry] of entries.entries()) {
    some.push(entry);
    bytes += sizeOf(entry);
    const next = entries[index + 1];
    if (next && some.length < mostCursors && bytes + sizeOf(next) <= mostCursorBytes) continue;
    const ends = next === undefined ? {} : { upTo: entry[0] };
    stretches.push({ cursors: Object.fromEntries(some), ...(after !== undefined && { after }), ...ends });
    some = [];
    bytes = 0;
    after = entry[0];
  }
  return stretches.length > 0 ? stretches : [{ cursors: {} }];
}

// Names are ASCII; quotes, colon, number and comma.
function sizeOf([conv, seq]: [string, number]): number {
  return conv.length + `${seq}`.length + 4;
}
