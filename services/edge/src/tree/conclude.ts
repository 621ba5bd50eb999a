// What a device with a tree has subscribed and unsubscribed is told to the hooks before the device hears that it is done: when
// the edge is killed in between, the device asks again.
import type { Asked, FiltersChange, TreeDevice } from "./tree-device.ts";

/** `codes`: the answer to each filter. Resolves false when no hook has taken it for long: the device is to ask again. */
export async function concludeAsked(asked: Asked, codes: readonly number[], tree: TreeDevice): Promise<boolean> {
  asked.isAnswered = true;
  const change = asked.isSubscribe ? subscribed(asked, codes, tree) : unsubscribed(asked, codes, tree);
  const isNews = change.added.length + change.removed.length > 0;
  const told = !isNews || (await tree.ways.tell(change));
  tree.asked.splice(tree.asked.indexOf(asked), 1);
  return told;
}

function subscribed({ filters, fresh }: Asked, codes: readonly number[], tree: TreeDevice): FiltersChange {
  const added: { topic: string; qos: number }[] = [];
  for (const [index, topic] of filters.entries()) {
    const qos = codes[index]!;
    if (qos >= 128) {
      if (fresh.has(topic)) tree.filters.delete(topic);
      continue;
    }
    tree.filters.add(topic);
    if (!isServedAll(topic, tree)) added.push({ topic, qos });
  }
  return { added, removed: [] };
}

function unsubscribed({ filters }: Asked, codes: readonly number[], tree: TreeDevice): FiltersChange {
  const removed = filters.filter((topic, index) => codes[index] === 0 && tree.filters.forget(topic));
  return { added: [], removed: removed.filter((topic) => !isServedAll(topic, tree)) };
}

/** The edge's own subscription stays, and has been told of. */
function isServedAll(topic: string, { subscribesAll }: TreeDevice): boolean {
  return subscribesAll && topic === allFilter;
}

/** All of a tree, as its device would write it. */
export const allFilter = "#";
