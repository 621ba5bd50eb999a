// Copies one service's part: each partition goes on behind the target's last entry, documents by key.
import type { Collection, CollectionDefinition, Documents } from "../documents.ts";
import { each } from "../each.ts";
import type { MessageLog } from "../log.ts";
import type { Store } from "../store.ts";
import { markCollection } from "./mark.ts";
import { documentPages, entryPages } from "./pages.ts";

/** Told after every page. */
export type Tell = (entries: number, documents: number) => void;

// So that an engine behind a network has something to do while the other one reads.
const partitionsAtOnce = 4;

export async function copyPair(
  { from, to }: { from: Store; to: Store },
  partitions: number,
  tell: Tell,
): Promise<void> {
  await eachPartition(partitions, (q) => copyPartition(from.log(), to.log(), q, tell));
  for (const definition of await definitionsOf(from.documents())) {
    const target = await to.documents().collection(definition);
    await copyCollection(await from.documents().collection(definition), target, tell);
  }
}

/** The collections that are copied. */
export async function definitionsOf(documents: Documents): Promise<CollectionDefinition[]> {
  return (await documents.definitions()).filter(({ name }) => name !== markCollection);
}

export async function eachPartition(partitions: number, work: (q: number) => Promise<void>): Promise<void> {
  const all = Array.from({ length: partitions }, (_, q) => q);
  await each(all, partitionsAtOnce, work);
}

/** All positions together: a log that was retained has fewer entries. */
export async function lengthOf(log: MessageLog, partitions: number): Promise<number> {
  let length = 0;
  await eachPartition(partitions, async (q) => {
    const { pos } = await log.last(q);
    length += pos;
  });
  return length;
}

async function copyPartition(from: MessageLog, to: MessageLog, q: number, tell: Tell): Promise<void> {
  for await (const page of entryPages(from, q, (await to.last(q)).pos)) {
    await to.restore(q, page);
    tell(page.length, 0);
  }
}

async function copyCollection(from: Collection<object>, to: Collection<object>, tell: Tell): Promise<void> {
  await removeOthers(from, to);
  for await (const page of documentPages(from)) {
    const there = await to.getMany(page.map(({ key }) => key));
    const changed = page.filter(({ key, doc }) => JSON.stringify(there.get(key)?.doc) !== JSON.stringify(doc));
    if (changed.length > 0) await to.put(changed.map(({ key, doc }) => ({ key, doc })));
    tell(0, page.length);
  }
}

// Between two runs of one copy the source may have been used.
async function removeOthers(from: Collection<object>, to: Collection<object>): Promise<void> {
  for await (const page of documentPages(to)) {
    const there = await from.getMany(page.map(({ key }) => key));
    for (const { key } of page) if (!there.has(key)) await to.remove(key);
  }
}
