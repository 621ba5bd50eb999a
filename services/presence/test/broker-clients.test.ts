import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "@parley/testkit";
import { openBrokerClients } from "../src/brokers/table.ts";
import { playBroker } from "./start.ts";

test("the edge's list is read and its clients ended with the services' secret", async (t) => {
  const broker = await playBroker(t);
  broker.clients.set("alice:phone", 1795240386143);
  const clients = openBrokerClients({ broker: "edge", urls: [broker.url], credential: "secret" });
  assert.deepEqual(await clients.list(), [{ clientId: "alice:phone", uid: "alice", connectedAt: 1795240386143 }]);
  await clients.disconnect("a/b c");
  assert.deepEqual(broker.asked.at(-1), {
    method: "DELETE",
    url: "/clients/a%2Fb%20c",
    authorization: "Bearer secret",
  });
});

test("the lists of several edges are one", async (t) => {
  const [one, other] = [await playBroker(t), await playBroker(t)];
  one.clients.set("alice", 1);
  other.clients.set("bob", 2);
  const clients = openBrokerClients({ broker: "edge", urls: [one.url, other.url], credential: "secret" });
  assert.deepEqual(
    (await clients.list()).map(({ clientId }) => clientId),
    ["alice", "bob"],
  );
  other.status = 500;
  await assert.rejects(clients.list(), { code: "unavailable" }, "a part of a list is no list");
});

test("EMQX's list is read page by page, only what is connected", async (t) => {
  const broker = await playBroker(t, (rows, url) => {
    const [page, limit] = [Number(url.searchParams.get("page")), Number(url.searchParams.get("limit"))];
    const data = [...rows].slice((page - 1) * limit, page * limit).map(([clientid, at]) => {
      return {
        clientid,
        username: "made up",
        client_attrs: clientid === "c2" ? {} : { uid: clientid },
        connected: at > 0,
        connected_at: new Date(Math.abs(at)).toISOString(),
        node: "emqx@127.0.0.1",
      };
    });
    return { data, meta: { page, limit, count: rows.size, hasnext: page * limit < rows.size } };
  });
  for (let n = 1; n <= 2500; n++) broker.clients.set(`c${n}`, 1795240386143);
  broker.clients.set("left", -1);
  const clients = openBrokerClients({ broker: "emqx", urls: [broker.url], credential: "key:secret" });
  const listed = await clients.list();
  assert.equal(listed.length, 2500);
  assert.deepEqual(listed[0], { clientId: "c1", uid: "c1", connectedAt: 1795240386143 });
  assert.deepEqual(listed[1]?.uid, undefined, "nobody authenticated it");
  assert.equal(broker.asked.length, 3);
  assert.equal(broker.asked[0]!.authorization, `Basic ${btoa("key:secret")}`);
  await clients.disconnect("alice:phone");
  assert.equal(broker.asked.at(-1)?.url, "/api/v5/clients/alice%3Aphone");
});

test("EMQX subscribes all for a device with No Local, and tells what a device has subscribed as it wrote it", async (t) => {
  const mountpoint = "im/x/5/alice/app/";
  const rows = [
    { topic: `${mountpoint}a/#`, qos: 1 },
    { topic: `$share/g/${mountpoint}b` },
    { topic: `${mountpoint}a/#` },
  ];
  const broker = await playBroker(t, () => rows);
  const clients = openBrokerClients({ broker: "emqx", urls: [broker.url], credential: "key:secret" });
  await clients.subscribeAll?.("alice/app");
  const [asked] = broker.asked;
  assert.deepEqual([asked?.method, asked?.url], ["POST", "/api/v5/clients/alice%2Fapp/subscribe"]);
  assert.deepEqual(JSON.parse(asked?.body ?? ""), { topic: "#", qos: 1, nl: 1 });
  assert.deepEqual(await clients.filtersOf?.("alice/app", mountpoint), ["a/#", "$share/g/b"]);
  assert.equal(broker.asked.at(-1)?.url, "/api/v5/clients/alice%2Fapp/subscriptions");
  broker.status = 404;
  await clients.subscribeAll?.("gone");
  await assert.rejects(clients.filtersOf?.("gone", mountpoint) ?? Promise.resolve(), { code: "unavailable" });
});

test("VerneMQ's list is read with as many rows as there are, only what is online", async (t) => {
  const broker = await playBroker(t, (rows) => {
    const table = [...rows].map(([client_id, at]) => ({
      client_id,
      user: client_id.split(":")[0],
      is_online: at > 0,
      session_started_at: at,
    }));
    return { type: "table", table };
  });
  broker.clients.set("alice:phone", 1795240386143).set("left", 0);
  const clients = openBrokerClients({ broker: "vernemq", urls: [broker.url], credential: "key" });
  assert.deepEqual(await clients.list(), [{ clientId: "alice:phone", uid: "alice", connectedAt: 1795240386143 }]);
  assert.match(broker.asked[0]!.url, /^\/api\/v1\/session\/show\?.*--limit=\d{6,}&--rowtimeout=\d{4,}/);
  assert.equal(broker.asked[0]!.authorization, `Basic ${btoa("key:")}`);
  await clients.disconnect("alice:phone");
  assert.equal(broker.asked.at(-1)?.url, "/api/v1/session/disconnect?client-id=alice%3Aphone&--cleanup");
  await clients.tidy?.();
  assert.equal(broker.asked.at(-1)?.url, "/api/v1/webhooks/cache/clear");
});

test("an answer that is no list is unavailable, never an empty list", async (t) => {
  for (const answer of [
    {},
    [],
    null,
    "text",
    { clients: {} },
    { clients: [{}] },
    { clients: [{ client_id: 7 }] },
    { clients: [{ client_id: "a" }] },
  ]) {
    const { url } = await playBroker(t, () => answer);
    const clients = openBrokerClients({ broker: "edge", urls: [url], credential: "s" });
    await assert.rejects(clients.list(), { code: "unavailable" }, JSON.stringify(answer));
  }
  const withoutAttributes = await playBroker(t, () => ({ data: [{ clientid: "a", connected: true }], meta: {} }));
  const emqx = openBrokerClients({ broker: "emqx", urls: [withoutAttributes.url], credential: "k:s" });
  await assert.rejects(emqx.list(), { code: "unavailable", message: /client_attrs/ });
  const gone = openBrokerClients({ broker: "edge", urls: ["http://127.0.0.1:1"], credential: "s" });
  await assert.rejects(gone.list(), { code: "unavailable" });
});

test("an edge that does not run has no devices, and the others end a client's session; when none runs it is unavailable", async (t) => {
  const edge = await playBroker(t);
  edge.clients.set("alice", 1);
  const gone = `http://127.0.0.1:${await freePort()}`;
  const clients = openBrokerClients({ broker: "edge", urls: [gone, edge.url], credential: "secret" });
  assert.deepEqual(await clients.list(), [{ clientId: "alice", uid: "alice", connectedAt: 1 }]);
  await clients.disconnect("alice");
  assert.equal(edge.asked.filter(({ method }) => method === "DELETE").length, 1);
  const none = openBrokerClients({ broker: "edge", urls: [gone], credential: "secret" });
  await assert.rejects(none.list(), { code: "unavailable" });
  await assert.rejects(none.disconnect("alice"), { code: "unavailable" });
  edge.status = 503;
  await assert.rejects(clients.list(), { code: "unavailable" }, "an edge that cannot answer may have some");
});
