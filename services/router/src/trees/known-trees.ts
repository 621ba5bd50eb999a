// The connected devices with trees, as presence tells of them: whoever stores a message must know whose they are.
import type { Tree, TreeEvent } from "@parley/protocol";
import { LRUCache } from "lru-cache";
import { openLiveTrees } from "./live-trees.ts";

export interface KnownTrees {
  /** False: there is nobody to look for. */
  any(): boolean;
  of(clientId: string): Tree | undefined;
  /** Is there one of this account? */
  has(uid: string): boolean;
  /** Of all accounts that they act for. */
  ofUser(uid: string): Iterable<Tree>;
  /** Those that hear a room which is open to guests, members or not. */
  hearing(conv: string): Iterable<Tree>;
  all(): Iterable<Tree>;
  take(event: TreeEvent): void;
  /** What presence lists now: begun before its first page is asked for, told of the whole list at its end. */
  beginList(): (trees: readonly Tree[]) => void;
}

const wentMax = 10_000;

/** `onHere` is told of each that came or changed, `onGone` of each that went. */
export function openKnownTrees(told: { onHere(tree: Tree): void; onGone(tree: Tree): void }): KnownTrees {
  const trees = new Map<string, Tree>();
  const ofUser = new Map<string, Set<Tree>>();
  const live = openLiveTrees();
  // Who went lately: a word of before may still come.
  const wentAt = new LRUCache<string, number>({ max: wentMax });

  function forget(tree: Tree): void {
    trees.delete(tree.clientId);
    live.remove(tree);
    for (const uid of tree.accounts) {
      const own = ofUser.get(uid);
      own?.delete(tree);
      if (own?.size === 0) ofUser.delete(uid);
    }
  }

  function here(tree: Tree): void {
    const before = trees.get(tree.clientId);
    if (before) forget(before);
    trees.set(tree.clientId, tree);
    live.add(tree);
    if (tree.owner === "user")
      for (const uid of tree.accounts) {
        const own = ofUser.get(uid);
        if (own) own.add(tree);
        else ofUser.set(uid, new Set([tree]));
      }
    told.onHere(tree);
  }

  function gone(tree: Tree): void {
    forget(tree);
    told.onGone(tree);
  }

  /** Events and lists come in no order. */
  function isOld(clientId: string, version: number): boolean {
    return version <= (trees.get(clientId)?.version ?? wentAt.get(clientId) ?? 0);
  }

  return {
    any: () => trees.size > 0,
    of: (clientId) => trees.get(clientId),
    has: (uid) => ofUser.has(uid),
    ofUser: (uid) => ofUser.get(uid) ?? [],
    hearing: live.hearing,
    all: () => trees.values(),
    take(event) {
      if (event.event === "here") {
        if (!isOld(event.tree.clientId, event.tree.version)) here(event.tree);
        return;
      }
      if (isOld(event.clientId, event.version)) return;
      wentAt.set(event.clientId, event.version);
      const known = trees.get(event.clientId);
      if (known) gone(known);
    },
    beginList() {
      const before = new Map([...trees].map(([clientId, { version }]) => [clientId, version]));
      return (listed) => {
        const now = new Set(listed.map(({ clientId }) => clientId));
        // Who changed since is not judged by a list that may be older.
        for (const tree of [...trees.values()])
          if (!now.has(tree.clientId) && before.get(tree.clientId) === tree.version) gone(tree);
        for (const tree of listed) if (!isOld(tree.clientId, tree.version)) here(tree);
      };
    },
  };
}
