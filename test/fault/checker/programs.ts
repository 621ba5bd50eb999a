// Rules about devices with programs of other protocols: each message once, in order, all of them; what was confirmed is kept.
import type { Rule } from "./check.ts";
import { type Log, nameOf } from "./log.ts";
import type { Copy, ProgramDevice, RunRecord, Sent, Utterance } from "./record.ts";
import { visibleTo } from "./stays.ts";

type Stored = ReadonlyMap<number, Copy>;

// A packet may come again, as MQTT's QoS 1 has it: the program knows the message by its sender and id, and shows it once.
export const programsOnceInOrder: Rule = function* (record, log) {
  for (const one of record.programs) {
    const lines = Map.groupBy(one.heard, ({ conv }) => conv);
    for (const [conv, heard] of lines) {
      const stored = readableBy(one, conv, record, log);
      if (stored) yield* line(one, heard, stored, record.liveComplete);
      else yield `${one.device} heard ${nameIn(one, heard[0]!)}, of a conversation that is not its user's`;
    }
  }
};

function* line(one: ProgramDevice, heard: readonly Utterance[], stored: Stored, liveComplete: boolean) {
  const known = new Map<string, Utterance>();
  const seqs = seqsOf(stored);
  let last = 0;
  for (const uttered of heard) {
    const name = nameIn(one, uttered);
    const before = known.get(keyOf(uttered));
    known.set(keyOf(uttered), uttered);
    const seq = uttered.seq ?? seqs.get(keyOf(uttered));
    const copy = seq === undefined ? undefined : stored.get(seq);
    if (seq === undefined || !copy) {
      yield `${name} (${seq ?? "no seq"}) was heard, and is not stored there for its user`;
      continue;
    }
    if (!isOf(uttered, copy)) yield `${name} was heard as ${seq} ${uttered.text}, which is ${nameOf(copy)}`;
    if (before && before.seq !== uttered.seq) yield `${name} came again as ${uttered.seq} behind ${before.seq}`;
    if (before) continue;
    // Its own, that a broker forgot, comes when it is sent again.
    const isLate = !liveComplete && copy.device === one.device;
    if (seq < last && !isLate) yield `${name} (${seq}) was heard behind ${last}`;
    last = Math.max(seq, last);
  }
}

export const programsComplete: Rule = function* (record, log) {
  if (!record.liveComplete) return;
  for (const one of record.programs) {
    const heard = new Set(one.heard.map((uttered) => `${uttered.conv} ${keyOf(uttered)}`));
    for (const conv of log.keys())
      for (const [seq, copy] of readableBy(one, conv, record, log) ?? [])
        if (copy.type !== "event" && !isSilent(one, copy) && !heard.has(`${conv} ${keyOf(copy)}`))
          yield `${one.device} (${one.program}) never heard ${conv} ${seq} (${nameOf(copy)})`;
  }
};

export const programsConfirmed: Rule = function* ({ programs, liveComplete }, log) {
  for (const one of programs)
    for (const sent of one.sent) {
      const copies = [...(log.get(sent.conv)?.values() ?? [])];
      const stored = copies.find(({ id, device }) => id === sent.id && device === sent.device);
      for (const what of became(one, sent, stored, liveComplete)) yield `${nameOf(sent)} (${one.program}) ${what}`;
    }
};

function* became({ texts, confirmed }: ProgramDevice, sent: Sent, stored: Copy | undefined, liveComplete: boolean) {
  const { id, tries, nacks } = sent;
  const seq = confirmed.get(id);
  if (!confirmed.has(id)) yield `was sent ${tries} times and never confirmed (${nacks.join(", ") || "no word"})`;
  // A PUBACK says that the broker has it, and a broker that is killed forgets.
  else if (!stored && (seq !== undefined || liveComplete)) yield "was confirmed and is not stored";
  if (!stored) return;
  if (seq !== undefined && stored.seq !== seq) yield `was confirmed as ${seq} and is stored as ${stored.seq}`;
  if (textOf(stored) !== texts.get(id)) yield `is stored as ${JSON.stringify(textOf(stored))}`;
}

/** What its user may read of it; undefined: nothing ever. */
function readableBy(
  { uid }: ProgramDevice,
  conv: string,
  { members, passing }: RunRecord,
  log: Log,
): Stored | undefined {
  const stored = log.get(conv) ?? new Map<number, Copy>();
  if (members.get(conv)?.includes(uid)) return stored;
  return passing.get(conv)?.includes(uid) ? visibleTo(uid, stored) : undefined;
}

function isSilent({ device, echoes }: ProgramDevice, copy: Copy): boolean {
  if (copy.device !== device) return false;
  return echoes === "never" || (echoes === "rooms" && !copy.conv.startsWith("room/"));
}

function seqsOf(stored: Stored): Map<string, number> {
  return new Map([...stored.values()].map((copy) => [keyOf(copy), copy.seq]));
}

// Of what the room itself tells, each protocol has an id of its own.
function isOf({ from, id, text }: Utterance, copy: Copy): boolean {
  if (copy.type === "event") return true;
  return copy.from === from && copy.id === id && (copy.type !== "text" || text === undefined || text === textOf(copy));
}

function textOf({ body }: Copy): unknown {
  return (JSON.parse(body) as { content: { data?: unknown } }).content.data;
}

function keyOf({ from, id }: Pick<Utterance, "from" | "id">): string {
  return `${from} ${id}`;
}

function nameIn({ device, program }: ProgramDevice, { id, from, conv }: Utterance): string {
  return `${id} of ${from} in ${conv}, at ${device} (${program}),`;
}
