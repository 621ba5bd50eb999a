import assert from "node:assert/strict";
import { test } from "node:test";
import type { MqttClient } from "mqtt";
import { startPublishWindow } from "./publish-window.ts";

function windowOf(receiveMaximum?: number, maximumPacketSize?: number) {
  const confirms: ((error?: Error) => void)[] = [];
  const client = {
    publish: (_topic: string, _payload: string, _options: object, done: (error?: Error) => void) => confirms.push(done),
  } as unknown as MqttClient;
  return {
    window: startPublishWindow(client, {
      ...(receiveMaximum !== undefined && { receiveMaximum }),
      ...(maximumPacketSize !== undefined && { maximumPacketSize }),
    }),
    confirms,
  };
}

test("no more publishes are in flight than the broker takes: ten when it does not say", () => {
  for (const [announced, expected] of [
    [3, 3],
    [undefined, 10],
    [65_535, 200],
  ] as const) {
    const { window, confirms } = windowOf(announced);
    for (let n = 0; n < 300; n += 1) window.publish("t", "", () => {});
    assert.equal(confirms.length, expected);
    confirms[0]?.();
    assert.equal(confirms.length, expected + 1);
  }
});

test("a lost connection fails what is in flight and what waits, each once", async () => {
  const { window, confirms } = windowOf(1);
  const outcomes: string[] = [];
  for (const name of ["a", "b", "c"])
    window.publish("t", "", (error) => outcomes.push(`${name} ${error ? "failed" : "done"}`));
  confirms[0]?.();
  window.close();
  confirms[1]?.(new Error("late"));
  assert.deepEqual(outcomes, ["a done", "b failed", "c failed"]);
  await window.drained();
});

test("drained waits for everything that was handed over", async () => {
  const { window, confirms } = windowOf(1);
  let drained = false;
  window.publish("t", "", () => {});
  window.publish("t", "", () => {});
  const waiting = window.drained().then(() => {
    drained = true;
  });
  confirms[0]?.();
  await Promise.resolve();
  assert.equal(drained, false);
  confirms[1]?.();
  await waiting;
});

test("a packet that is larger than the broker takes is refused here: it would end this connection and the next one", () => {
  const { window, confirms } = windowOf(10, 1_000);
  const refused: (number | undefined)[] = [];
  const done = (error?: Error & { code?: number }) => refused.push(error?.code);
  window.publish("topic", "é".repeat(495), done);
  window.publish("topic", "e".repeat(979), done);
  window.publish("topic", "e".repeat(975), done);
  assert.deepEqual([refused, confirms.length], [[0x95], 2]);
  window.publish("topic", "e".repeat(990), done);
  assert.deepEqual([refused, confirms.length], [[0x95, 0x95], 2]);
});
