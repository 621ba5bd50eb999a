// The ends of conversations as the store has them: their documents, their last entries, and what the log has behind its marks.

import { setImmediate as nextLoop } from "node:timers/promises";
import type { LogEntry } from "@parley/store";
import type { Tail } from "../../fold/tail.ts";
import { foldTail, scratch } from "../../fold/tail.ts";
import type { Tails } from "../../fold/tails.ts";
import type { HistoryStore } from "../../keep/store.ts";
import type { Marks } from "../../project/marks.ts";
import { type End, noEnd } from "./end.ts";

type Heads = ReadonlyMap<string, Pick<LogEntry, "q" | "pos">>;

const atOnce = 200;

export interface ReadParts {
  store: Pick<HistoryStore, "infos" | "log">;
  marks: Pick<Marks, "folded">;
  tails: Tails;
}

/** A part at a time: messages are stored meanwhile. */
export async function readEnds(parts: ReadParts, convs: readonly string[]): Promise<ReadonlyMap<string, End>> {
  const folded = await parts.marks.folded();
  const ends = new Map<string, End>();
  for (let at = 0; at < convs.length; at += atOnce) {
    if (at > 0) await nextLoop();
    const found = await readSome(parts, { convs: convs.slice(at, at + atOnce), folded });
    for (const [index, end] of found.entries()) ends.set(convs[at + index] as string, end);
  }
  return ends;
}

async function readSome(
  { store, tails }: ReadParts,
  { convs, folded }: { convs: readonly string[]; folded: (q: number) => number },
): Promise<End[]> {
  const infos = await store.infos.getMany(convs);
  const heads = await store.log.heads(convs);
  const behind = await tailsBehind(tails, heads, folded);
  return convs.map((conv) => {
    const { name = "", nameSeq = 0, recalled = [], mentionsOfAll = [] } = infos.get(conv)?.doc ?? {};
    const about = { ...scratch(conv), name, nameSeq, recalled, mentionsOfAll };
    const end = noEnd(conv);
    const tail = behind.get(end.q)?.conversations.get(conv);
    if (tail) foldTail(tail, about);
    const { pos, seq, ord } = heads.get(conv) ?? end;
    return { q: end.q, pos, seq, ord, name: about.name, recalled: about.recalled, mentionsOfAll: about.mentionsOfAll };
  });
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
