// A store with something of everything, for the tests of copying.
import { entry, neighboursOf, partitionOf } from "../conformance/entries.ts";
import type { CollectionDefinition } from "../documents.ts";
import { openStore } from "../open-store.ts";
import type { Store } from "../store.ts";

export const members = {
  name: "members",
  indexes: { by_uid: ["uid", "conv"], by_name: { fields: ["name"], unique: true } },
} satisfies CollectionDefinition;

const facts = { conversationPartitions: 256 };

/** The conversation whose beginning was removed, and with it positions of its partition. */
export const retained = "room/retained";

/** Two services: history with a log and documents, api with documents alone. */
export async function fillStore(url: string, entries = 2_000): Promise<void> {
  const history = await openStore(url, { service: "history", lockWaitMs: 0, facts });
  await fillLog(history, entries);
  const kept = await history.documents().collection(members);
  await kept.put(
    Array.from({ length: 700 }, (_, n) => ({
      key: `room/r${n} ü😀"'`,
      doc: { uid: `u${n % 9}`, conv: `room/r${n}`, n },
    })),
  );
  await kept.put([
    { key: "named", doc: { name: "one", nested: { "a.b": [null, 1.5e-7, "\u0000"] }, __proto__: null } },
  ]);
  await history.documents().collection({ name: "empty", indexes: { n: ["n"] } });
  await history.close();
  const api = await openStore(url, { service: "api", lockWaitMs: 0 });
  await (await api.documents().collection({ name: "users" })).put([{ key: "alice", doc: { uid: "alice" } }]);
  await api.close();
}

async function fillLog(store: Store, count: number): Promise<void> {
  const log = store.log();
  const convs = Array.from({ length: 20 }, (_, n) => `room/c${n}`);
  const alone = [...Map.groupBy(convs, partitionOf).values()].map(([conv]) => conv!);
  const size = Math.ceil(count / alone.length);
  for (const conv of alone) {
    const body = new Uint8Array(300).fill(conv.charCodeAt(6));
    const batch = Array.from({ length: size }, (_, at) => entry(conv, at + 1, at + 1, { body }));
    await log.append(partitionOf(conv), batch);
  }
  const [other] = neighboursOf(retained, 1) as [string];
  const event = { kind: "join", uids: ["a", 'b"'] };
  await log.append(partitionOf(retained), [
    ...Array.from({ length: 30 }, (_, at) => entry(retained, at + 1, at + 1)),
    entry(other, 1, 31, { origin: "api", event, memberSeq: 1, body: new Uint8Array(0) }),
    entry(retained, 31, 32),
  ]);
  await log.retain(retained, 31);
}
