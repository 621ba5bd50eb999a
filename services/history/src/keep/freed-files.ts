// Attachments whose message was emptied: noted before it is, so that whoever keeps the files removes those that nothing refers to.
import type { Collection, MessageLog } from "@parley/store";
import { entryFile } from "./entry-file.ts";

/** By the attachment's id. */
export interface FreedFile {
  file: string;
  /** unix ms: when a message that referred to it was last emptied */
  at: number;
}

/** The log, with a note of each file before the message that refers to it is emptied. */
export function notingFreed(log: MessageLog, freed: Collection<FreedFile>): MessageLog {
  const note = async (conv: string, seq: number) => {
    const [entry] = await log.range(conv, { after: seq - 1, before: seq + 1, limit: 1 });
    const file = entry && entryFile(entry);
    if (file !== undefined) await freed.put([{ key: file, doc: { file, at: Date.now() } }]);
  };
  return {
    append: (q, batch) => log.append(q, batch),
    restore: (q, entries) => log.restore(q, entries),
    last: (q) => log.last(q),
    heads: (convs) => log.heads(convs),
    range: (conv, query) => log.range(conv, query),
    follow: (q, afterPos, limit) => log.follow(q, afterPos, limit),
    at: (q, pos) => log.at(q, pos),
    find: (keys) => log.find(keys),
    senders: (conv, after, upTo, limit) => log.senders(conv, after, upTo, limit),
    retain: (conv, firstSeq) => log.retain(conv, firstSeq),
    first: (conv) => log.first(conv),
    async blank(conv, seq, event) {
      await note(conv, seq);
      return log.blank(conv, seq, event);
    },
    async erase(conv, seqs) {
      await Promise.all(seqs.map((seq) => note(conv, seq)));
      return log.erase(conv, seqs);
    },
  };
}
