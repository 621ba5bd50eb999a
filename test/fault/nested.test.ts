// kill -9 of who hands on what is said in a room with rooms nested in it, at each named point of that, while two replicas share it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message, ParleyClient } from "@parley/client";
import { historyGet, roomsCreate } from "@parley/protocol";
import { eventually, type Part, startTestCluster } from "@parley/testkit";
import { connectAs, registerAll } from "../e2e/people.ts";

const deaths = 2;
const atOnce = 20;
const batchesMost = 60;
const points: readonly { point: string; part: Part; every: number }[] = [
  { point: "before-onward", part: "router", every: 15 },
  { point: "before-onward-done", part: "router", every: 60 },
  { point: "before-onward-taken", part: "router", every: 15 },
  { point: "before-batch-announced", part: "history", every: 6 },
];

async function all(client: ParleyClient, conv: string): Promise<Message[]> {
  const found: Message[] = [];
  for (let after = 0; ; ) {
    const page = await client.request(historyGet, { conv, after, limit: 500 });
    found.push(...page.messages.filter(({ content }) => content.type !== "event"));
    if (!page.more) return found;
    after = page.messages.at(-1)?.seq ?? after;
  }
}

describe("what is said in a room comes to each room on its way once, and in its order", () => {
  for (const { point, part, every } of points)
    test(`when ${part} dies ${point} at every ${every}th pass`, async (t) => {
      const cluster = await startTestCluster(t, {
        env: { PARLEY_CRASH_AT: `${point}:${every}` },
        replicas: { router: 2 },
      });
      await registerAll(cluster, "ann", "bob", "ida");
      const [{ client: ann }, { client: bob }, { client: ida }] = [
        await connectAs(t, cluster, "ann"),
        await connectAs(t, cluster, "bob"),
        await connectAs(t, cluster, "ida"),
      ];
      // Each goes on to the next, and the last to the first.
      await ann.request(roomsCreate, { id: "last", name: "Last", members: ["ida"] });
      await ann.request(roomsCreate, { id: "middle", name: "Middle", members: ["ida"], nested: [{ id: "last" }] });
      await ann.request(roomsCreate, { id: "first", name: "First", members: ["bob"], nested: [{ id: "middle" }] });
      let sent = 0;
      const areCopied = async (room: string) => (await all(ida, room)).length >= sent;
      for (let batch = 0; cluster.restarts(part) < deaths && batch < batchesMost; batch++) {
        const said = Array.from({ length: atOnce }, (_, at) =>
          (at % 2 ? ann : bob).send("room/first", `${batch} ${at}`, { id: `${batch}-${at}` }),
        );
        await Promise.all(said);
        sent += said.length;
        // What waits is more with each death that comes before it is copied.
        await eventually(() => areCopied("room/last"), { timeoutMs: 60_000 });
      }
      assert.ok(cluster.restarts(part) >= deaths);
      const ids = (await all(ann, "room/first")).map(({ id }) => id);
      assert.equal(new Set(ids).size, sent);
      for (const room of ["room/middle", "room/last"]) {
        assert.deepEqual(
          (await all(ida, room)).map(({ id }) => id),
          ids,
          room,
        );
      }
      assert.equal((await all(ann, "room/first")).length, sent);
      t.diagnostic(`${cluster.restarts(part)} deaths, ${sent} sent`);
    });
});
