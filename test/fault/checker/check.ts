// Is what a run saw what was promised? Pure: a record in, sentences about what is wrong out.
import { blockEnds, blockHolds, blocksAnswered, refusedNowhere } from "./blocks.ts";
import { agree, oneOrder, receivedLive, synced, withoutGaps } from "./copies.ts";
import { erasuresDone, nothingOfErased, othersWhole, placesStay, silentOnceErased } from "./erasures.ts";
import { endedInTheEnd, nothingElseGoes, nowhereBehindIt, readUntilItsTime } from "./lives.ts";
import { type Log, logOf } from "./log.ts";
import { marksForward, unreadExact } from "./marks.ts";
import { programsComplete, programsConfirmed, programsOnceInOrder } from "./programs.ts";
import type { RunRecord } from "./record.ts";
import { screensComplete, screensOnceInOrder } from "./screens.ts";
import { acksKept, answered, badRefused, deviceOrder, onlyWhatWasSent, storedOnce } from "./senders.ts";
import { changesAnswered, nothingAfterRemoval, wholeStays } from "./stays.ts";

export interface Violation {
  rule: string;
  what: string;
}

/** Looks at the record and at the log that the members' views give; answers one sentence a violation. */
export type Rule = (record: RunRecord, log: Log) => Iterable<string>;

const rules: Record<string, Rule> = {
  "every member has the same messages": agree,
  "seq is 1 … n without gaps": withoutGaps,
  "acknowledged ⊆ stored, always with the same seq": acksKept,
  "every message is acknowledged in the end": answered,
  "nothing is stored twice": storedOnce,
  "stored is what its sender sent, from is who sent it": onlyWhatWasSent,
  "a device's messages keep their order": deviceOrder,
  "sync has everything": synced,
  "live copies are the stored ones": oneOrder,
  "stored ⊆ received live": receivedLive,
  "unread is exact": unreadExact,
  "marks move forward": marksForward,
  "a bad packet is refused with a clear error": badRefused,
  "the SDK shows each message once, in seq order": screensOnceInOrder,
  "the SDK shows everything in the end": screensComplete,
  "a program of another protocol hears each message once, in seq order": programsOnceInOrder,
  "a program of another protocol hears everything": programsComplete,
  "what a program of another protocol sends is confirmed, and then stored as it was said": programsConfirmed,
  "a removed member gets nothing stored after its removal": nothingAfterRemoval,
  "a member gets everything stored while it was one": wholeStays,
  "a change of members is done": changesAnswered,
  "a block holds from its answer on": blockHolds,
  "a block ends with the answer that says so": blockEnds,
  "what is refused as blocked is nowhere while the block holds, what is acknowledged is there": refusedNowhere,
  "a block is done": blocksAnswered,
  "an erasure is done": erasuresDone,
  "nothing of an erased user is in any answer": nothingOfErased,
  "a user whose removal is answered sends nothing": silentOnceErased,
  "the places of an erased user's messages stay": placesStay,
  "what others said beside an erased user stays whole": othersWhole,
  "a message that disappears is read until its time": readUntilItsTime,
  "and nowhere behind it": nowhereBehindIt,
  "it is ended in the end, and its end told": endedInTheEnd,
  "nothing else goes with it": nothingElseGoes,
};

const shownOfARule = 20;

/** Everything that is wrong with the run; of each rule the first 20. */
export function check(record: RunRecord): Violation[] {
  const log = logOf(record);
  return Object.entries(rules).flatMap(([rule, find]) => {
    const found = [...find(record, log)];
    const rest = found.length > shownOfARule ? [`… and ${found.length - shownOfARule} more`] : [];
    return [...found.slice(0, shownOfARule), ...rest].map((what) => ({ rule, what }));
  });
}
