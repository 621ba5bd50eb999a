import assert from "node:assert/strict";
import { test } from "node:test";
import type { CopiesAnswer } from "@parley/protocol/direct-copies";
import type { Copy } from "./direct-device.ts";
import { type DirectTarget, openHandOut } from "./hand-out.ts";
import type { Heard, Kind } from "./hearing.ts";

interface Played extends DirectTarget {
  got: { copy: Copy; qos: 0 | 1 }[];
  heard: Partial<Record<Kind, Heard>>;
  room: boolean;
  owing: boolean;
  held: number;
  left: string[];
}

function device(clientId: string, heard: Played["heard"] = { m: 1, d: 1 }): Played {
  const played: Played = {
    clientId,
    heard,
    got: [],
    room: true,
    owing: false,
    held: 0,
    left: [],
    hears: (kind) => played.heard[kind],
    hasRoom: () => played.room,
    owesMuch: () => played.owing,
    holdBack: () => void played.held++,
    leaveToBroker: (topic) => void played.left.push(topic),
    sendDirect: (copy, qos) => void played.got.push({ copy, qos }),
  };
  return played;
}

/** ann has the devices given; `away`: a session besides */
function ann(devices: Played[]) {
  const answers: CopiesAnswer[] = [];
  const state = { away: false };
  const { take } = openHandOut(
    {
      connectionsOf: () => devices,
      devicesOf: (uid) => (uid === "ann" && !state.away ? devices : undefined),
      device: (clientId) => devices.find((one) => one.clientId === clientId),
      hasOthers: (_, clientId) => state.away || devices.some((one) => one.clientId !== clientId),
    },
    (answer) => answers.push(answer),
  );
  let id = 0;
  const say = (topic = "im/dn/ann/m", reopens = false) => {
    id += 1;
    take({ kind: "copies", id, topics: [{ topic, reopens }], payload: Buffer.from(`${id}`) });
    return answers.splice(0);
  };
  return { say, answers, state };
}

const refused = (id: number): CopiesAnswer[] => [
  { kind: "refused", id, indexes: [0] },
  { kind: "done", id },
];

test("a topic is refused until the router says that it is through with the broker", () => {
  const phone = device("ann:phone");
  const { say } = ann([phone]);
  assert.deepEqual(say(), refused(1));
  assert.deepEqual(say("im/dn/ann/m", true), []);
  assert.deepEqual(say(), []);
  assert.deepEqual([phone.got.length, phone.held], [2, 1]);
});

test("all devices of a user get a copy, each as it subscribed, and it is done when all have ended", () => {
  const devices = [device("ann:phone"), device("ann:desk", { m: 0 }), device("ann:quiet", { m: "not" })];
  const { say, answers } = ann(devices);
  assert.deepEqual(say("im/dn/ann/m", true), []);
  assert.deepEqual(
    devices.map(({ got }) => got.map(({ qos }) => qos)),
    [[1], [0], []],
  );
  devices[1]?.got[0]?.copy.end("confirmed");
  assert.deepEqual(answers, []);
  devices[0]?.got[0]?.copy.end("confirmed");
  assert.deepEqual(answers, [{ kind: "done", id: 1 }]);
});

test("the broker has a copy where it is not sure that all of the user's sessions are here and take it", () => {
  const phone = device("ann:phone");
  const { say, state } = ann([phone]);
  let id = 0;
  const isRefused = (change: () => void, back: () => void) => {
    change();
    assert.deepEqual(say("im/dn/ann/m", true), refused(++id));
    back();
  };
  isRefused(
    () => (state.away = true),
    () => (state.away = false),
  );
  isRefused(
    () => (phone.heard.m = undefined),
    () => (phone.heard.m = 1),
  );
  isRefused(
    () => (phone.heard.m = "not"),
    () => (phone.heard.m = 1),
  );
  isRefused(
    () => (phone.room = false),
    () => (phone.room = true),
  );
  isRefused(
    () => (phone.owing = true),
    () => (phone.owing = false),
  );
  assert.deepEqual(say("im/dn/bob/m", true), refused(++id));
  assert.deepEqual(say("im/dn/ann/e", true), refused(++id));
  assert.deepEqual(say("elsewhere", true), refused(++id));
  assert.deepEqual(say("im/dn/ann/d/ann:other", true), refused(++id));
  assert.equal(phone.got.length, 0);
});

test("what was refused, or is late, closes the topic: the next copies go behind it until it reopens", () => {
  const phone = device("ann:phone");
  const { say, answers } = ann([phone]);
  say("im/dn/ann/m", true);
  phone.got[0]?.copy.end("late");
  assert.deepEqual(answers.splice(0), [
    { kind: "late", id: 1, index: 0, topic: "im/dn/ann/m" },
    { kind: "done", id: 1 },
  ]);
  assert.deepEqual(say(), refused(2));
  assert.deepEqual(say("im/dn/ann/m", true), []);
  phone.room = false;
  assert.deepEqual(say(), refused(4));
  phone.room = true;
  assert.deepEqual(say(), refused(5));
});

test("what is late for one of several devices the broker has for that one alone, where it hears that", () => {
  const [phone, desk] = [device("ann:phone"), device("ann:desk", { m: 1, d: "not" })];
  const { say, answers } = ann([phone, desk]);
  say("im/dn/ann/m", true);
  phone.got[0]?.copy.end("late");
  desk.got[0]?.copy.end("late");
  assert.deepEqual(answers, [
    { kind: "late", id: 1, index: 0, topic: "im/dn/ann/d/ann:phone" },
    { kind: "late", id: 1, index: 0, topic: "im/dn/ann/m" },
    { kind: "done", id: 1 },
  ]);
});

test("before the broker has the next copy, all connections of the user learn that what they did not confirm goes there first", () => {
  const [phone, desk] = [device("ann:phone"), device("ann:desk")];
  const { say, state } = ann([phone, desk]);
  say("im/dn/ann/m", true);
  assert.deepEqual(phone.left, []);
  state.away = true;
  say();
  assert.deepEqual([phone.left, desk.left], [["im/dn/ann/m"], ["im/dn/ann/m"]]);
});

test("a device's own topic is its own: others may be away", () => {
  const phone = device("ann:phone");
  const { say, state } = ann([phone]);
  state.away = true;
  assert.deepEqual(say("im/dn/ann/d/ann:phone", true), []);
  assert.equal(phone.got[0]?.copy.topic, "im/dn/ann/d/ann:phone");
});
