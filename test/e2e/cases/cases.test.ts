// One table of cases, asked over HTTP, over MQTT and through the SDK: each is answered in the same words.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { methods } from "@parley/protocol";
import { startTestCluster } from "@parley/testkit";
import { type Answers, askRow } from "./ask-row.ts";
import { openHttp, openMqtt, openSdk } from "./doors.ts";
import { table } from "./table.ts";
import { makeWorld, sentCode } from "./world.ts";

const unlimited = {
  API_RATE: "100000",
  API_BURST: "100000",
  API_ADDRESS_RATE: "100000",
  API_ADDRESS_BURST: "100000",
  ROUTER_RATE: "100000",
  ROUTER_BURST: "100000",
  EDGE_RATE_PACKETS: "100000",
};
const site = createServer(({ url }, response) => {
  response.statusCode = url === "/" ? 200 : 404;
  response.setHeader("content-type", "text/html").end("<title>A page</title>");
});
await once(site.listen(0, "127.0.0.1"), "listening");
after(() => site.close());
const { port } = site.address() as AddressInfo;

// Of each world nine phones.
const fixed = ["0", "1", "2"].flatMap((world) =>
  Array.from({ length: 9 }, (_, at) => `3806${world}00${at + 1}=${sentCode}`),
);
const codes = {
  API_CODES_FIXED: [...fixed, `fixed@mail.example=${sentCode}`].join(","),
  API_ADDRESS_FAILURES: "100000",
};
const env = {
  ...unlimited,
  ...codes,
  LINK_PREVIEW_ALLOW: "127.0.0.1",
  API_PREVIEWS: "1000",
  API_REGISTRATIONS: "1000",
};
const cluster = await startTestCluster({ after }, { env });
const { http } = cluster.run();
const doors = [openHttp(http), openMqtt(), openSdk(http)];
after(() => Promise.all(doors.map((door) => door.close())));
const worlds = await Promise.all(doors.map(({ name }) => makeWorld(cluster, `http://127.0.0.1:${port}/`, `${name}.`)));
after(() => Promise.all(worlds.map((world) => world.close())));

test("every method stands in the table once, with what others may not see, may not do, and what is done already", () => {
  const named = table.map(({ method }) => method.name);
  assert.deepEqual(named.toSorted(), [...methods.keys()].toSorted());
  for (const { method, foreign, refused = {}, again } of table) {
    const { name, params, errors, changes } = method;
    const naming = Object.keys(params.properties).filter((field) => namingFields.has(field));
    if (naming.length > 0) assert.ok(foreign, `${name} names ${naming}: whose is it?`);
    if (errors.includes("forbidden")) assert.ok(Object.keys(refused).length > 0, `${name}: who may not?`);
    if (changes) assert.ok(again, `${name}: what if it is done already?`);
  }
});

const namingFields = new Set(["conv", "id", "ids", "uid", "uids", "members", "clientId", "to", "link", "message"]);

describe("each method is answered alike over HTTP, over MQTT and through the SDK", () => {
  for (const row of table)
    test(row.method.name, async () => {
      const [byHttp, ...others] = await Promise.all(
        doors.map((door, index) => askRow(row, worlds[index] as (typeof worlds)[number], door)),
      );
      if (!row.shared) for (const answers of others) assertAlike(byHttp as Answers, answers);
    });
});

function assertAlike(some: Answers, others: Answers): void {
  for (const [title, answer] of others) if (some.has(title)) assert.deepEqual(answer, some.get(title), title);
}
