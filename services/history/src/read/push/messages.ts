// The messages that notifications are about, each once, whoever it is for.
import type { Mentions } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { membershipOf } from "../../fold/fold-entry.ts";
import { mentionsOf } from "../../fold/mentions.ts";
import { annotationsKey } from "../../keep/annotations.ts";
import { entryAt } from "../../keep/entry-at.ts";
import type { HistoryStore } from "../../keep/store.ts";
import { contentOf, isEmpty } from "../../keep/stored-body.ts";
import { messageJson } from "../annotated.ts";
import { hideExpired } from "../expired.ts";

type Stored = Pick<HistoryStore, "log" | "annotations" | "timers">;

export interface Place {
  conv: string;
  seq: number;
}

export interface ShownMessage {
  /** JSON text with its latest edit in place of what it said first; null: nothing is shown of it */
  text: string | null;
  from: string;
  mentions: Mentions | undefined;
  /** whom the event at that place asks in */
  invites: readonly string[];
  /** seq of that edit */
  editSeq: number | undefined;
}

export function placeKey({ conv, seq }: Place): string {
  return annotationsKey(conv, seq);
}

/** By `placeKey`; one where nothing stands is missing. */
export async function shownMessages(
  store: Stored,
  places: readonly Place[],
): Promise<ReadonlyMap<string, ShownMessage>> {
  const [found, annotated] = await Promise.all([
    entriesAt(store, places),
    store.annotations.getMany([...new Set(places.map(placeKey))]),
  ]);
  const entries = await hideExpired(store, found);
  const shown = await Promise.all(
    entries.map(async (entry): Promise<[string, ShownMessage]> => {
      const key = placeKey(entry);
      const { recall, edits = [] } = annotated.get(key)?.doc ?? {};
      const isGone = recall !== undefined || isEmpty(entry);
      const edit = isGone ? undefined : await entryAt(store, entry.conv, edits.at(-1));
      return [key, shownOf(entry, { isGone, edit })];
    }),
  );
  return new Map(shown);
}

function shownOf(entry: LogEntry, { isGone, edit }: { isGone: boolean; edit: LogEntry | undefined }): ShownMessage {
  return {
    text: isGone ? null : edit ? editedJson(entry, edit) : messageJson(entry),
    from: entry.from,
    mentions: mentionsOf(entry),
    invites: membershipOf(entry)?.invited ?? [],
    editSeq: edit?.seq,
  };
}

function editedJson(entry: LogEntry, edit: LogEntry): string {
  const message = JSON.parse(messageJson(entry));
  message.content = { ...message.content, data: contentOf(edit).data };
  return JSON.stringify(message);
}

// Those of one conversation that stand close together are one read.
async function entriesAt(store: Stored, places: readonly Place[]): Promise<LogEntry[]> {
  const wanted = new Map<string, Set<number>>();
  for (const { conv, seq } of places) wanted.set(conv, (wanted.get(conv) ?? new Set()).add(seq));
  const found = await Promise.all(
    [...wanted].map(async ([conv, seqs]) => {
      const [first, last] = [Math.min(...seqs), Math.max(...seqs)];
      if (last - first >= 2 * seqs.size) return Promise.all([...seqs].map((seq) => entryAt(store, conv, seq)));
      const range = { after: first - 1, before: last + 1, limit: last - first + 1 };
      return (await store.log.range(conv, range)).filter(({ seq }) => seqs.has(seq));
    }),
  );
  return found.flat().filter((entry) => entry !== undefined);
}
