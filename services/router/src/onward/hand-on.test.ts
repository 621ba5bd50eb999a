import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type AppendItem, nestedOrigin, type StoredEntry, type Via } from "@parley/protocol";
import { createLogger, type NatsConnection } from "@parley/runtime";
import { createHandOn } from "./hand-on.ts";

const log = createLogger({ service: "test", level: "silent" });

function handingOn(...failures: AppError[]) {
  const appended: string[] = [];
  const ended: string[] = [];
  const handOn = createHandOn({
    nats: {} as NatsConnection,
    append: async ({ conv, id }: AppendItem) => {
      appended.push(`${conv} ${id}`);
      return failures.shift() ?? { seq: 1, ts: 1, memberSeq: 1 };
    },
    refused: () => undefined,
    gone: async (conv, room) => void ended.push(`${conv} ${room}`),
    pass: () => undefined,
    log,
  });
  return { handOn, appended, ended };
}

function said(room: string, rooms: string[], via?: Via[]): StoredEntry {
  const body = Buffer.from(JSON.stringify({ id: "m1", content: { type: "text", data: "hello" }, via }));
  const from = { from: "ann", device: "ann:pc", type: "text" };
  return {
    ...{ pos: 1, conv: `room/${room}`, seq: 1, ts: 1, memberSeq: 1, ...from, body, onward: { rooms } },
    ...(via && { origin: nestedOrigin }),
  };
}

test("where many ways lead to a room a copy that is stored there is asked for once", async () => {
  const { handOn, appended } = handingOn();
  await handOn([said("a", ["b", "c"])]);
  await handOn([said("b", ["c", "d"], [{ id: "a", seq: 1 }])]);
  await handOn([said("c", ["b", "d"], [{ id: "a", seq: 1 }])]);
  assert.deepEqual(appended, ["room/b m1", "room/c m1", "room/d m1"]);
});

test("a copy that was not stored is asked for again, also one that was refused: another way may lead there", async () => {
  const { handOn, appended } = handingOn(new AppError("unavailable"), new AppError("forbidden"));
  await assert.rejects(handOn([said("a", ["b"])]), { code: "unavailable" });
  await handOn([said("a", ["b"])]);
  await handOn([said("a", ["b"])]);
  await handOn([said("a", ["b"])]);
  assert.equal(appended.length, 3);
});

test("one sender's messages make so many copies in a row and no more: others do not wait for them", async () => {
  const { handOn, appended } = handingOn();
  const rooms = Array.from({ length: 32 }, (_, index) => `r${index}`);
  for (let index = 0; index < 120; index++) {
    const entry = said(`a${index}`, rooms);
    await handOn([{ ...entry, body: Buffer.from(JSON.stringify({ id: `m${index}`, content: { type: "text" } })) }]);
  }
  const before = appended.length;
  assert.ok(before >= 3_000 && before < 120 * 32, `${before}`);
  await handOn([{ ...said("b", rooms), from: "bob" }]);
  assert.equal(appended.length, before + 32);
});

test("a copy that cannot be stored is given up at once: what was said after it is stored already", async () => {
  const { handOn, appended } = handingOn(new AppError("internal"));
  await handOn([said("a", ["b"])]);
  assert.deepEqual(appended, ["room/b m1"]);
});

test("a room that has ended is nested no longer; that of its sender nothing is left ends nothing", async () => {
  const { handOn, ended } = handingOn(
    new AppError("not_found", undefined, { details: { reason: "room" } }),
    new AppError("not_found"),
  );
  await handOn([said("a", ["b", "c"])]);
  assert.deepEqual(ended, ["room/a b"]);
});
