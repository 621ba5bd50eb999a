// The ends of conversations as the store has them: their documents, their last entries, and what the log has behind its marks.

import type { LogEntry, MessageLog } from "@parley/store";
import type { Tail } from "../../fold/tail.ts";
import { foldTail, scratch } from "../../fold/tail.ts";
import type { Tails } from "../../fold/tails.ts";
import type { HistoryStore } from "../../keep/store.ts";
import type { Marks } from "../../project/marks.ts";
import { type End, noEnd } from "./end.ts";

type Heads = Map<string, Pick<LogEntry, "q" | "pos" | "seq" | "ord">>;

/** Their bodies are held until all of them are read. */
const headsAtOnce = 200;

export interface ReadParts {
  store: Pick<HistoryStore, "infos" | "log">;
  marks: Pick<Marks, "folded">;
  tails: Tails;
}

export async function readEnds(
  { store, marks, tails }: ReadParts,
  convs: readonly string[],
): Promise<ReadonlyMap<string, End>> {
  const folded = await marks.folded();
  const infos = await store.infos.getMany(convs);
  const heads = await headsOf(store.log, convs);
  const behind = await tailsBehind(tails, heads, folded);
  return new Map(
    convs.map((conv) => {
      const { name = "", nameSeq = 0, recalled = [], mentionsOfAll = [] } = infos.get(conv)?.doc ?? {};
      const about = { ...scratch(conv), name, nameSeq, recalled, mentionsOfAll };
      const end = noEnd(conv);
      const tail = behind.get(end.q)?.conversations.get(conv);
      if (tail) foldTail(tail, about);
      const { pos, seq, ord } = heads.get(conv) ?? end;
      return [conv, { q: end.q, pos, seq, ord, name: about.name, recalled: about.recalled, mentionsOfAll: about.mentionsOfAll }]; // biome-ignore format: one line reads better
    }),
  );
}

async function headsOf(log: MessageLog, convs: readonly string[]): Promise<Heads> {
  const heads: Heads = new Map();
  for (let at = 0; at < convs.length; at += headsAtOnce)
    for (const [conv, { q, pos, seq, ord }] of await log.heads(convs.slice(at, at + headsAtOnce)))
      heads.set(conv, { q, pos, seq, ord });
  return heads;
}

async function tailsBehind(
  tails: Tails,
  heads: Heads,
  folded: (q: number) => number,
): Promise<ReadonlyMap<number, Tail>> {
  const to = new Map<number, number>();
  for (const { q, pos } of heads.values()) if (pos > folded(q)) to.set(q, Math.max(pos, to.get(q) ?? 0));
  return new Map(await Promise.all([...to].map(async ([q, pos]) => [q, await tails.read(q, folded(q), pos)] as const)));
}
