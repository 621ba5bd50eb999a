// What history answers to search, as any replica.
import {
  type CounterpartsRequest,
  type EntriesOfRequest,
  type LogRequest,
  type MessagesRequest,
  type ReadableRequest,
  type StoredEntriesRequest,
  subjects,
} from "@parley/protocol";
import { counterparts } from "./read/counterparts.ts";
import { logEnds, messagesAt, readable } from "./read/for-search.ts";
import type { Reading } from "./read/reading.ts";
import { entriesOf, logPage, storedEntries } from "./read/stored-entries.ts";
import { type ReadTurns, readFor } from "./read/turns.ts";

/** Answers a subject with the bytes or text of `work`. */
export type Serve<Served> = (subject: string, work: (asked: never) => Promise<Uint8Array | string>) => Served;

/** Entries for whoever follows STORED too, and their copies in other rooms. */
export function serveEntries<Served>(reading: Reading, turns: ReadTurns, serve: Serve<Served>): Served[] {
  const { log } = reading.store;
  return [
    serve(subjects.storedEntries, (asked: StoredEntriesRequest) => storedEntries(log, asked)),
    serve(subjects.entriesOf, (asked: EntriesOfRequest) => entriesOf(log, asked)),
    serve(subjects.counterparts, async (asked: CounterpartsRequest) => JSON.stringify(await counterparts(log, asked))),
    serve(subjects.log, (asked: LogRequest) => logPage(log, asked)),
    serve(subjects.logEnds, async () => JSON.stringify(await logEnds(log))),
    serve(subjects.readable, async (asked: ReadableRequest) => JSON.stringify(await readable(reading, asked))),
    serve(subjects.messagesAt, (asked: MessagesRequest) => readFor(turns, asked.uid, () => messagesAt(reading, asked))),
  ];
}
