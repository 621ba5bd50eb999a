// The devices that hear rooms while they subscribe, found by what they subscribe: a message looks at those alone that may hear it.
import type { Tree } from "@parley/protocol";
import { type Dialect, dialectOf } from "@parley/protocol/dialects";
import { type Filters, readFilters } from "./filters.ts";

export interface LiveTrees {
  add(tree: Tree): void;
  remove(tree: Tree): void;
  /** Of a room that is open to guests: members or not. */
  hearing(conv: string): Iterable<Tree>;
}

type Live = NonNullable<Dialect["live"]>;

/** The devices of one dialect. */
interface Hearers {
  /** by a topic that is one of their filters */
  exact: Map<string, Set<Tree>>;
  /** who have a filter with a wildcard, with all of their filters */
  wild: Map<Tree, Filters>;
}

export function openLiveTrees(): LiveTrees {
  const hearers = new Map<Live, Hearers>();

  return {
    add(tree) {
      const live = liveOf(tree);
      if (live === undefined) return;
      const of = hearers.get(live) ?? { exact: new Map(), wild: new Map() };
      hearers.set(live, of);
      const filters = readFilters(tree.filters);
      if (filters.hasWildcard) of.wild.set(tree, filters);
      for (const topic of filters.exact) {
        const trees = of.exact.get(topic);
        if (trees) trees.add(tree);
        else of.exact.set(topic, new Set([tree]));
      }
    },
    remove(tree) {
      const live = liveOf(tree);
      const of = live && hearers.get(live);
      if (of === undefined) return;
      of.wild.delete(tree);
      for (const topic of readFilters(tree.filters).exact) {
        const trees = of.exact.get(topic);
        trees?.delete(tree);
        if (trees?.size === 0) of.exact.delete(topic);
      }
    },
    *hearing(conv) {
      for (const [live, of] of hearers) {
        const topic = live.topicOf(conv);
        if (topic === undefined) continue;
        for (const tree of subscribed(of, topic)) if (live.mayHear(topic, tree)) yield tree;
      }
    },
  };
}

function* subscribed({ exact, wild }: Hearers, topic: string): Iterable<Tree> {
  yield* exact.get(topic) ?? [];
  for (const [tree, filters] of wild) if (filters.match(topic)) yield tree;
}

function liveOf({ dialect }: Tree): Live | undefined {
  return dialectOf({ name: dialect ?? "" })?.live;
}
