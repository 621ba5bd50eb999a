// Two of every service on MongoDB: whichever replica somebody meets, it is the same Parley; and one of each may die.
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import {
  devicesList,
  devicesRemove,
  historyGet,
  login,
  messagesSend,
  register,
  roomsCreate,
  roomsGet,
  roomsMembers,
  sync,
} from "@parley/protocol";
import { eventually, hasMongo, type Part, startTestCluster, testMongo } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { type Chatting, chatBySdk, chatByStock } from "./chatting.ts";
import { password } from "./people.ts";
import { openStock } from "./stock.ts";

if (hasMongo()) {
  const mongo = await testMongo({ after });
  const cluster = await startTestCluster({ after }, { storeUrl: mongo?.url ?? "", replicas: { all: 2 } });
  const apis = cluster.wiring.replicas.api.map(({ http }) => `http://127.0.0.1:${http}`) as [string, string];
  const edges = cluster.wiring.replicas.edge.map(({ mqtt }) => mqtt) as [number, number];

  /** A session from one api, used at one edge. */
  const enter = async (uid: string, device: string, api: 0 | 1, edge: 0 | 1): Promise<Session> => {
    await callHttp(apis[api], register, { username: uid, password }).catch((error) => {
      if (error.code !== "conflict") throw error;
    });
    const session = await callHttp(apis[api], login, { username: uid, password, device });
    return { ...session, mqtt: { ...session.mqtt, port: edges[edge] } };
  };

  test("two who meet different replicas of everything chat, and each may read it anywhere", async (t) => {
    const ann = await openStock(t, await enter("ann", "phone", 0, 0));
    const ben = await openStock(t, await enter("ben", "phone", 1, 1));
    const { seq } = await ann.send({ id: "a1", to: "user/ben", content: { type: "text", data: "hello" } });
    const back = await ben.send({ id: "b1", to: "user/ann", content: { type: "text", data: "hello you" } });
    assert.deepEqual([seq, back.seq], [1, 2]);
    // While holders change hands a message may come twice, as the standard has it for QoS 1.
    for (const device of [ann, ben])
      await eventually(
        () => assert.deepEqual(new Set(device.messages().map(({ id }) => id)), new Set(["a1", "b1"])) ?? true,
      );
    for (const api of apis)
      for (const { token } of [ann.session, ben.session])
        for (let turn = 0; turn < 3; turn += 1) {
          const { messages } = await callHttp(api, historyGet, { conv: "p2p/ann/ben" }, { token });
          assert.deepEqual(
            messages.map(({ id }) => id),
            ["a1", "b1"],
          );
          const { conversations } = await callHttp(api, sync, { cursors: {} }, { token });
          assert.deepEqual(
            conversations.map(({ conv, lastSeq }) => [conv, lastSeq]),
            [["p2p/ann/ben", 2]],
          );
        }
  });

  test("a room made at one api is there at the other, and its members hear of it at any edge", async (t) => {
    const eva = await enter("eva", "phone", 0, 0);
    const fay = await openStock(t, await enter("fay", "phone", 1, 1));
    const { id, conv } = await callHttp(apis[0], roomsCreate, { name: "both", members: ["fay"] }, eva);
    for (const api of apis) {
      assert.equal((await callHttp(api, roomsGet, { id }, fay.session)).name, "both");
      assert.equal((await callHttp(api, roomsMembers, { id }, eva)).members.length, 2);
    }
    const content = { type: "text", data: "hi all" };
    const { seq } = await callHttp(apis[1], messagesSend, { to: `room/${id}`, content }, eva);
    const heard = await eventually(() => fay.messages().find((message) => message.seq === seq));
    assert.equal(heard.conv, conv);
  });

  test("a request sent to both apis with one Idempotency-Key is done once and answered alike", async () => {
    const { token } = await enter("gil", "phone", 0, 0);
    await enter("hal", "phone", 1, 1);
    const once = { token, idempotencyKey: "once" };
    const content = { type: "text", data: "once" };
    const [said, saidToo] = await Promise.all(
      apis.map((api) => callHttp(api, messagesSend, { to: "user/hal", content }, once)),
    );
    assert.deepEqual(said, saidToo);
    const twice = { token, idempotencyKey: "room" };
    const [room, roomToo] = await Promise.all(
      apis.map((api) => callHttp(api, roomsCreate, { name: "once", members: ["hal"] }, twice)),
    );
    assert.deepEqual(room, roomToo);
    const { conversations } = await callHttp(apis[0], sync, { cursors: {} }, { token });
    assert.deepEqual(
      conversations.map(({ lastSeq }) => lastSeq),
      [1, 1],
    );
  });

  test("a device that was removed is out at once, at both edges and by both auth-webhooks, and every api says so", async (t) => {
    const phone = await enter("ida", "phone", 0, 0);
    const web = await openStock(t, await enter("ida", "web", 1, 1), { reconnectPeriod: 0 });
    const closed = new Promise<void>((resolve) => web.client.once("close", () => resolve()));
    await callHttp(apis[0], devicesRemove, { clientId: "ida:web" }, phone);
    await closed;
    for (let turn = 0; turn < 4; turn += 1)
      for (const port of edges) {
        const { username, password: token } = web.session.mqtt;
        const entering = connectAsync(
          `mqtt://127.0.0.1:${port}`,
          { username, password: token, clientId: "ida:web" },
          false,
        );
        await assert.rejects(entering, { code: 5 });
      }
    for (const api of apis) {
      await assert.rejects(callHttp(api, devicesList, {}, web.session), { code: "unauthenticated" });
      const { devices } = await callHttp(api, devicesList, {}, phone);
      assert.deepEqual(
        devices.filter(({ clientId }) => clientId === "ida:web"),
        [],
      );
    }
  });

  test("a device is online wherever it is asked, also when it goes from one edge to the other", async (t) => {
    const reader = await enter("joe", "reader", 0, 0);
    const session = await enter("joe", "phone", 1, 0);
    const isOnline = async (api: string) => {
      const { devices } = await callHttp(api, devicesList, {}, reader);
      return devices.find(({ clientId }) => clientId === "joe:phone")?.online;
    };
    const first = await openStock(t, session, { reconnectPeriod: 0, protocolVersion: 5 });
    for (const api of apis) await eventually(() => isOnline(api));
    const ended = new Promise<number>((resolve) =>
      first.client.once("disconnect", ({ reasonCode }) => resolve(reasonCode ?? 0)),
    );
    const second = await openStock(
      t,
      { ...session, mqtt: { ...session.mqtt, port: edges[1] } },
      { reconnectPeriod: 0 },
    );
    assert.equal(await ended, 0x8e, "the first is told that it was taken over");
    await second.send({ id: "still", to: "user/joe", content: { type: "text", data: "here" } });
    for (const api of apis) assert.equal(await isOnline(api), true);
    await second.client.endAsync(true);
    for (const api of apis) await eventually(async () => (await isOnline(api)) === false);
  });

  const startChats = async (t: TestContext, n: string): Promise<Chatting[]> => {
    const chats = [
      await chatBySdk(t, cluster, `kim${n}`, `lea${n}`),
      await chatByStock(t, cluster, `max${n}`, `nia${n}`),
    ];
    for (const chat of chats) await chat.goesOn();
    return chats;
  };
  const parts: Part[] = ["api", "presence", "search", "push", "auth-webhook", "router", "history", "edge"];

  test("one replica of each kind dies under chat: it goes on at once, people come in meanwhile, everything acknowledged is there", async (t) => {
    const chats = await startChats(t, "");
    for (const [n, part] of parts.entries()) {
      // Killed, and kept away for the while.
      const gone = cluster.kill(part, { index: n % 2 });
      await cluster.stopPart(part, { index: n % 2 });
      await gone;
      for (const chat of chats) await chat.goesOn();
      const other = ((n + 1) % 2) as 0 | 1;
      const late = await openStock(t, await enter(`late${n}`, "phone", other, other));
      await late.send({ id: "in", to: `user/kim`, content: { type: "text", data: "here I am" } });
      await cluster.startPart(part, { index: n % 2 });
      await cluster.waitReady();
    }
    for (const chat of chats) await chat.settle();
  });
} else {
  test("two of every service", { skip: "NO MONGODB HERE: replicas are not tested" }, () => {});
}
