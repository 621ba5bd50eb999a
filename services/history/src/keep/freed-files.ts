// Attachments whose message was emptied: noted before it is, so that whoever keeps the files removes those that nothing refers to. The
// message's place goes behind it; one that a death leaves is found when its file is looked for.
import type { Pass } from "@parley/runtime";
import type { Collection, MessageLog } from "@parley/store";
import { entryAt } from "./entry-at.ts";
import { entryFile } from "./entry-file.ts";

/** By the attachment's id. */
export interface FreedFile {
  file: string;
  /** unix ms: when a message that referred to it was last emptied */
  at: number;
}

interface Place {
  file: string;
  conv: string;
  seq: number;
}

/** The log, with a note of each file before the message that refers to it is emptied. `leave`: it stands there no longer. */
export function notingFreed(
  log: MessageLog,
  freed: Collection<FreedFile>,
  leave: (place: Place) => Promise<unknown>,
  pass: Pass,
): MessageLog {
  const emptying = async <T>(conv: string, seqs: readonly number[], empty: () => Promise<T>): Promise<T> => {
    const files = await Promise.all(seqs.map((seq) => fileAt(log, conv, seq)));
    const places = files.flatMap((file, index) => (file === undefined ? [] : { file, conv, seq: seqs[index]! }));
    const at = Date.now();
    const noted = [...new Set(places.map(({ file }) => file))].map((file) => ({ key: file, doc: { file, at } }));
    if (noted.length > 0) await freed.put(noted);
    pass("before-emptied");
    const emptied = await empty();
    pass("before-place-left");
    await Promise.all(places.map(leave));
    return emptied;
  };
  return {
    append: (q, batch) => log.append(q, batch),
    restore: (q, entries) => log.restore(q, entries),
    last: (q) => log.last(q),
    heads: (convs) => log.heads(convs),
    range: (conv, query) => log.range(conv, query),
    read: (conv, query) => log.read(conv, query),
    follow: (q, afterPos, limit) => log.follow(q, afterPos, limit),
    at: (q, pos) => log.at(q, pos),
    find: (keys) => log.find(keys),
    senders: (conv, after, upTo, limit) => log.senders(conv, after, upTo, limit),
    retain: (conv, firstSeq) => log.retain(conv, firstSeq),
    first: (conv) => log.first(conv),
    blank: (conv, seq, event) => emptying(conv, [seq], () => log.blank(conv, seq, event)),
    erase: (conv, seqs) => emptying(conv, seqs, () => log.erase(conv, seqs)),
  };
}

async function fileAt(log: MessageLog, conv: string, seq: number): Promise<string | undefined> {
  const entry = await entryAt({ log }, conv, seq);
  return entry && entryFile(entry);
}
