import assert from "node:assert/strict";
import { test } from "node:test";
import { subjects, type Tree } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { eventually, serviceContext, startServers } from "@parley/testkit";
import { openTreeTelling } from "./telling.ts";

test("routers are told once that something was missed, when devices could not be told of", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { log } = serviceContext("presence");
  const [nats, router] = await Promise.all(
    ["presence", "router"].map((name) => connectNats({ url: server.url, name, log })),
  );
  t.after(() => Promise.all([nats?.close(), router?.close()]));
  if (!nats || !router) throw new Error("no connections");
  const heard: string[] = [];
  router.subscribe("trees.*", { callback: (_, { subject }) => void heard.push(subject) });
  await router.flush();
  let isAway = true;
  const telling = openTreeTelling({
    ...{ nats, log, greet: () => {}, devices: { note: () => {} } },
    live: {
      async of() {
        if (isAway) throw new Error("Redis is away");
        return { owner: "user", filters: [] } as unknown as Tree;
      },
    },
  });
  t.after(() => telling.close());
  for (const clientId of ["one", "two", "three"]) telling.changed(clientId);
  await eventually(() => heard.length > 0);
  isAway = false;
  telling.changed("one");
  await eventually(() => heard.length > 1);
  assert.deepEqual(heard, [subjects.treesMissed, subjects.treeEvent]);
});
