// Notifications that a device has not acknowledged are said again whenever it comes, until it does.
import { AppError } from "../../errors.ts";
import { historyGet } from "../../methods/history.ts";
import type { Parley, Said } from "../dialect.ts";
import { asMessage, type StoredMessage } from "./messages.ts";
import { none, openTold, type Told, type ToldMarks } from "./told.ts";

/** The packets that tell a device of a message or an event: it acknowledges each. `isFirst`: also that there is a channel. */
export type SaidOf = (message: StoredMessage, isFirst: boolean) => Promise<Said[]>;

export interface Pending extends Pick<ToldMarks, "load" | "isLoaded" | "made" | "acknowledged"> {
  /** Conversations that the device was told of, or made. */
  conversations(): Iterable<string>;
  /** Does it know that there is such a channel? */
  isTold(conv: string): boolean;
  /** Before they are said: so many notifications tell of the message. */
  told(message: { conv: string; seq: number }, count: number, isFirst: boolean): void;
  /** They go out now, on this connection. */
  noteSaid(conv: string, seq: number): void;
  /** Says again what was not acknowledged and not said on this connection. */
  sayAgain(saidOf: SaidOf): Promise<void>;
}

/** Entries of one conversation that are looked through at one time. */
const entriesMax = 1_000;

export function openPending(
  parley: Pick<Parley, "marks" | "call" | "say" | "hears">,
  connectedAt: () => number,
): Pending {
  const marks = openTold(parley.marks);

  function saidNow(one: Told): Set<number> {
    if (one.saidSince !== connectedAt()) one.said.clear();
    one.saidSince = connectedAt();
    return one.said;
  }

  async function sayAgainIn(conv: string, one: Told, saidOf: SaidOf): Promise<void> {
    let after = one.acked;
    for (let looked = 0; after < one.told && looked < entriesMax; ) {
      const page = await parley.call(historyGet, { conv, after, limit: 100 });
      const found = page.messages.flatMap((message) => asMessage(message) ?? []).filter(({ seq }) => seq <= one.told);
      for (const message of found) await sayOne(message, one, saidOf);
      looked += page.messages.length;
      after = page.more ? (found.at(-1)?.seq ?? one.told) : one.told;
      one.unread = after < one.told ? after + 1 : none;
    }
    marks.settle(conv);
  }

  async function sayOne(message: StoredMessage, one: Told, saidOf: SaidOf): Promise<void> {
    const { conv, seq } = message;
    if (saidNow(one).has(seq)) return;
    const packets = await saidOf(message, one.first === seq);
    const [first] = packets;
    if (first === undefined) return;
    marks.open(conv, seq, packets.length);
    if (!parley.hears(first.topic)) return;
    saidNow(one).add(seq);
    for (const packet of packets) await parley.say(packet);
  }

  const { load, isLoaded, made, acknowledged } = marks;
  return {
    load,
    isLoaded,
    made,
    acknowledged,
    *conversations() {
      for (const [conv] of marks.all()) yield conv;
    },
    isTold: (conv) => marks.of(conv).told > 0,
    told({ conv, seq }, count, isFirst) {
      marks.tell(conv, seq, isFirst);
      marks.open(conv, seq, count);
    },
    noteSaid: (conv, seq) => void saidNow(marks.of(conv)).add(seq),
    async sayAgain(saidOf) {
      for (const [conv, one] of [...marks.all()]) {
        if (one.acked >= one.told) continue;
        const failed = await sayAgainIn(conv, one, saidOf).catch(AppError.from);
        if (failed instanceof AppError && failed.code !== "not_found" && failed.code !== "not_member") throw failed;
      }
    },
  };
}
