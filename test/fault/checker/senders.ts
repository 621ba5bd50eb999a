// Rules about what senders were promised: acks are kept, nothing is doubled, reordered or made up.
import type { Rule } from "./check.ts";
import { type Log, nameOf } from "./log.ts";
import type { Copy, RunRecord, Sent } from "./record.ts";

const keyOf = ({ conv, device, id }: { conv: string; device: string; id: string }) => `${conv} ${device} ${id}`;

export const acksKept: Rule = function* ({ acks }, log) {
  const first = new Map<string, number>();
  for (const ack of acks) {
    const stored = log.get(ack.conv)?.get(ack.seq);
    const before = first.get(keyOf(ack));
    if (!stored) yield `${nameOf(ack)} was acknowledged as ${ack.seq} and is not stored`;
    else if (stored.id !== ack.id || stored.device !== ack.device)
      yield `${nameOf(ack)} was acknowledged as ${ack.seq}, which is ${nameOf(stored)}`;
    if (before !== undefined && before !== ack.seq)
      yield `${nameOf(ack)} was acknowledged as ${before} and as ${ack.seq}`;
    first.set(keyOf(ack), ack.seq);
  }
};

export const answered: Rule = function* ({ sent, acks }) {
  const acknowledged = new Set(acks.map(keyOf));
  for (const one of sent)
    if (!acknowledged.has(keyOf(one)))
      yield `${nameOf(one)} was published ${one.tries} times and never acknowledged (nacks: ${one.nacks.join(", ") || "none"})`;
};

export const storedOnce: Rule = function* (_record, log) {
  for (const [conv, stored] of log) {
    const seen = new Map<string, number>();
    for (const copy of stored.values()) {
      const before = seen.get(keyOf(copy));
      if (before !== undefined) yield `${conv}: ${nameOf(copy)} is stored as ${before} and as ${copy.seq}`;
      seen.set(keyOf(copy), copy.seq);
    }
  }
};

export const onlyWhatWasSent: Rule = function* ({ sent, programs, bad }, log) {
  const byKey = new Map([...sent, ...programs.flatMap((one) => one.sent)].map((one) => [keyOf(one), one]));
  for (const stored of log.values())
    for (const copy of stored.values()) {
      if (copy.type === "event") continue;
      const refused = bad.find(({ mark }) => copy.body.includes(mark));
      const one = byKey.get(keyOf(copy));
      if (refused) yield `${nameOf(copy)} is stored, though it should be refused (${refused.what})`;
      else if (!one) yield `${nameOf(copy)} is stored as ${copy.seq} and nobody sent it`;
      else yield* unlike(copy, one);
    }
};

function* unlike(copy: Copy, one: Sent) {
  if (copy.from !== one.from) yield `${nameOf(copy)}: from is ${copy.from}, its sender is ${one.from}`;
  if (copy.type !== one.type) yield `${nameOf(copy)}: its type is ${copy.type}, sent was ${one.type}`;
  if (one.body !== undefined && copy.body !== one.body)
    yield `${nameOf(copy)}: stored is ${copy.body}, sent was ${one.body}`;
}

// Both stored at first try, or the later one naming the one before it: then seq follows the order of sending.
export const deviceOrder: Rule = function* (record, log) {
  for (const { what } of misplaced(record, log)) yield what;
};

/** Each message that stands where it must not, with what is wrong about it. */
export function* misplaced(
  { sent, programs }: Pick<RunRecord, "sent" | "programs">,
  log: Log,
): Generator<{ one: Sent; what: string }> {
  const seqs = new Map<string, number>();
  for (const stored of log.values()) for (const copy of stored.values()) seqs.set(keyOf(copy), copy.seq);
  const all = [...sent, ...programs.flatMap((one) => one.sent)];
  const lines = Map.groupBy(all, ({ conv, device }) => `${conv} ${device}`);
  for (const line of lines.values()) {
    const inOrder = line.toSorted((a, b) => a.order - b.order);
    yield* behindPrev(inOrder, seqs);
    yield* inFirstTryOrder(inOrder, seqs);
  }
}

type Seqs = ReadonlyMap<string, number>;

function* behindPrev(line: readonly Sent[], seqs: Seqs) {
  for (const one of line) {
    const seq = seqs.get(keyOf(one));
    if (seq === undefined || one.prev === undefined) continue;
    const before = seqs.get(keyOf({ ...one, id: one.prev }));
    if (before === undefined)
      yield { one, what: `${nameOf(one)} is stored as ${seq}, the one before it (${one.prev}) is not` };
    else if (before > seq)
      yield { one, what: `${nameOf(one)} is stored as ${seq}, the one before it (${one.prev}) as ${before}` };
  }
}

function* inFirstTryOrder(line: readonly Sent[], seqs: Seqs) {
  let highest = { id: "", seq: 0 };
  for (const one of line) {
    const seq = seqs.get(keyOf(one));
    if (seq === undefined || one.tries > 1 || one.nacks.length > 0) continue;
    if (highest.seq > seq)
      yield {
        one,
        what: `${nameOf(one)} is stored as ${seq}, before ${highest.id} (${highest.seq}), which was sent earlier`,
      };
    else highest = { id: one.id, seq };
  }
}

export const badRefused: Rule = function* ({ bad }) {
  for (const { device, what, expected, nacks } of bad) {
    if (nacks.length === 0) yield `${device}: ${what}: no error came, expected ${expected}`;
    else if (nacks.some((code) => code !== expected))
      yield `${device}: ${what}: ${nacks.join(", ")} instead of ${expected}`;
  }
};
