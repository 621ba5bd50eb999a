import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox, type OutgoingMessage } from "./outbox.ts";

const message = (id: string, conv = "p2p/alice/bob"): OutgoingMessage => ({
  id,
  conv,
  packet: { id, to: "user/bob", content: { type: "text", data: id } },
});
const sent = (packets: object[]) => packets.map((packet) => (packet as { id: string }).id).join(" ");
const chain = (packets: object[]) =>
  packets.map((packet) => `${(packet as { prev?: string }).prev ?? "-"}>${(packet as { id: string }).id}`).join(" ");

function outboxWith(ids: string, options = {}) {
  const outbox = new Outbox({ random: () => 0.5, ...options });
  for (const id of ids.split(" ")) outbox.add(message(id));
  return outbox;
}

test("messages of a conversation go out in order, each naming the one before it", () => {
  const outbox = outboxWith("1 2 3");
  assert.equal(chain(outbox.due(0)), "->1 1>2 2>3");
  assert.equal(sent(outbox.due(1)), "", "and only once");
});

test("the next message names the last acknowledged one", () => {
  const outbox = outboxWith("1");
  outbox.due(0);
  outbox.acked("1");
  outbox.add(message("2"));
  assert.equal(chain(outbox.due(0)), "1>2");
});

test("a message without an ack goes again, with the same id, later each time", () => {
  const outbox = outboxWith("1", { ackTimeoutMs: 100 });
  assert.equal(sent(outbox.due(0)), "1");
  assert.equal(outbox.nextDue(), 100);
  assert.equal(sent(outbox.due(99)), "");
  assert.equal(sent(outbox.due(100)), "1");
  assert.equal(outbox.nextDue(), 300);
});

test("after a lost connection everything unacknowledged goes again, in order", () => {
  const outbox = outboxWith("1 2 3");
  outbox.due(0);
  outbox.acked("2");
  outbox.disconnected();
  assert.equal(sent(outbox.due(1)), "1 3");
});

test("out_of_order: the message waits until one before it is acknowledged, then goes at once", () => {
  const outbox = outboxWith("1 2 3");
  outbox.due(0);
  outbox.nacked("1", "unavailable", 0);
  outbox.nacked("2", "out_of_order", 0);
  outbox.nacked("3", "out_of_order", 0);
  assert.equal(sent(outbox.due(1)), "", "1 waits for its time, 2 and 3 for 1");
  assert.equal(chain(outbox.due(60_000)), "->1");
  outbox.acked("1");
  assert.equal(chain(outbox.due(60_001)), "1>2 2>3");
});

test("out_of_order: what was sent before it and never answered was lost, and goes again at once, once", () => {
  const outbox = outboxWith("1 2 3 4 5");
  outbox.due(0);
  outbox.nacked("3", "out_of_order", 1);
  assert.equal(chain(outbox.due(1)), "->1 1>2");
  outbox.nacked("4", "out_of_order", 2);
  outbox.nacked("5", "out_of_order", 2);
  assert.equal(sent(outbox.due(2)), "", "they were refused before 1 and 2 went again");
  outbox.acked("1");
  assert.equal(chain(outbox.due(3)), "2>3 3>4 4>5");
});

test("out_of_order though nothing is before it: goes again without prev", () => {
  const outbox = outboxWith("1");
  outbox.due(0);
  outbox.acked("1");
  outbox.add(message("2"));
  outbox.due(1);
  outbox.nacked("2", "out_of_order", 2);
  assert.equal(chain(outbox.due(3)), "->2");
});

test("a message that is refused for good does not hold up those that named it", () => {
  const outbox = outboxWith("1 2 3");
  outbox.due(0);
  assert.deepEqual(outbox.nacked("1", "too_large", 1), { settled: true });
  outbox.nacked("2", "out_of_order", 1);
  outbox.nacked("3", "out_of_order", 1);
  assert.equal(chain(outbox.due(2)), "->2");
  outbox.acked("2");
  assert.equal(chain(outbox.due(3)), "2>3");
});

test("unavailable and rate_limited go again after a while, not at once and not never", () => {
  for (const code of ["unavailable", "rate_limited"] as const) {
    const outbox = outboxWith("1");
    outbox.due(0);
    assert.deepEqual(outbox.nacked("1", code, 1_000), { settled: false });
    assert.equal(sent(outbox.due(1_000)), "");
    const next = outbox.nextDue() ?? assert.fail("never");
    assert.ok(next > 1_000 && next <= 31_000);
    assert.equal(sent(outbox.due(next)), "1");
  }
});

test("one conversation that waits holds up no other", () => {
  const outbox = outboxWith("1");
  outbox.due(0);
  outbox.nacked("1", "rate_limited", 0);
  outbox.add(message("r", "room/r1"));
  assert.equal(sent(outbox.due(1)), "r");
});

test("no more than the window is in flight", () => {
  const outbox = outboxWith("1 2 3 4 5", { window: 2 });
  assert.equal(sent(outbox.due(0)), "1 2");
  outbox.acked("1");
  assert.equal(sent(outbox.due(1)), "3");
});

test("an ack or nack of something unknown, or twice, changes nothing", () => {
  const outbox = outboxWith("1");
  assert.equal(outbox.acked("x"), false);
  assert.equal(outbox.nacked("x", "blocked", 0), undefined);
  outbox.due(0);
  assert.equal(outbox.acked("1"), true);
  assert.equal(outbox.acked("1"), false);
  assert.equal(outbox.nacked("1", "internal", 0), undefined);
  assert.equal(outbox.size, 0);
});

test("an id is taken in once", () => {
  const outbox = outboxWith("1");
  assert.equal(outbox.add(message("1")), false);
  assert.equal(outbox.size, 1);
});

// A server that refuses, loses and answers late at random; whatever it does, the order holds and all arrives.
test("under any mix of losses, refusals and reconnects everything is stored once and in order", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    let state = seed;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const outbox = new Outbox({ random, window: 5, ackTimeoutMs: 1_000 });
    const ids = Array.from({ length: 20 }, (_, n) => `${n}`);
    for (const id of ids) outbox.add(message(id));
    const stored: string[] = [];
    let now = 0;
    for (let turn = 0; turn < 5_000 && outbox.size > 0; turn += 1) {
      for (const packet of outbox.due(now) as { id: string; prev?: string }[]) serve(packet);
      if (random() < 0.05) outbox.disconnected();
      now += 500;
    }
    assert.deepEqual(stored, ids, `seed ${seed}`);

    function serve({ id, prev }: { id: string; prev?: string }): void {
      const luck = random();
      if (luck < 0.2) return;
      if (luck < 0.3) return void outbox.nacked(id, "unavailable", now);
      if (prev !== undefined && !stored.includes(prev)) return void outbox.nacked(id, "out_of_order", now);
      if (!stored.includes(id)) stored.push(id);
      if (luck < 0.8) outbox.acked(id);
    }
  }
});
