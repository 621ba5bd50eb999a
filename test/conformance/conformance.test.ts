// The cases at Mosquitto behind the edge, the table in docs, and what the command is told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Endpoint } from "@parley/cli/broker-check/device";
import { freePort } from "@parley/testkit";
import { brokers } from "./brokers.ts";
import type { Case } from "./case.ts";
import { cases } from "./cases/cases.ts";
import { readOptions } from "./options.ts";
import { runCases, whyNot } from "./run.ts";
import { startHere } from "./start-here.ts";
import { documentOf } from "./table.ts";

const page = join(import.meta.dirname, "../../docs/conformance.md");

test("every case holds at Mosquitto behind the edge, by MQTT 3.1.1 over TCP and 5 over WebSocket, and docs say so", async (t) => {
  const { urls, ...system } = await startHere(
    (end) => t.after(end),
    () => {},
  );
  // Of the four ways two: the command goes all of them.
  const [tcp = "", ws = ""] = urls;
  const endpoints: Endpoint[] = [
    { url: tcp, version: 4 },
    { url: ws, version: 5 },
  ];
  const run = { system, broker: "mosquitto", endpoints } as const;
  const rows = await runCases({ ...run, cases });
  for (const { about, holds, outcome, seen } of rows)
    await t.test(`${about}: ${holds}`, () => assert.equal(outcome, "yes", seen));
  const before = readFileSync(page, "utf8");
  assert.equal(before, documentOf(before, rows), "npm run conformance -- --page docs/conformance.md");
  await t.test("a case that does not hold is told, with where it does not", async () => {
    const broken: Case = {
      about: "native",
      holds: "nothing",
      run: async ({ version, url }) => {
        if (version === 5 && url === ws) throw new Error("this is not so");
        return "it is so";
      },
    };
    const all = [...endpoints, { url: tcp, version: 5 } as const];
    const [row] = await runCases({ ...run, endpoints: all, cases: [broken] });
    assert.deepEqual([row?.outcome, row?.seen], ["no", "MQTT 5 over WebSocket: this is not so"]);
  });
  await t.test("what a broker does not promise is left out", async () => {
    const wanted = cases.filter(({ about }) => about === "slimchat");
    const left = await runCases({ ...run, broker: "vernemq", cases: wanted });
    assert.ok(left.length > 0 && left.every(({ outcome }) => outcome === "left out"));
  });
  await t.test("a key that the API does not take is told", async () => {
    assert.match((await whyNot({ ...system, key: "no-such-key" }, [])) ?? "", /^--key-file: .* does not take this key/);
  });
  await t.test("a URL where nobody speaks MQTT is told", async () => {
    const deaf = createServer((socket) => socket.end("HTTP/1.0 400\r\n\r\n")).listen(0);
    t.after(() => deaf.close());
    const { port } = deaf.address() as { port: number };
    for (const one of [port, await freePort()])
      assert.match(
        (await whyNot(system, [`mqtt://127.0.0.1:${one}`])) ?? "",
        new RegExp(`^--url mqtt://127.0.0.1:${one}: it does not speak MQTT`),
      );
    assert.equal(await whyNot(system, urls), undefined);
  });
});

test("an API that does not answer is told", async () => {
  const api = `http://127.0.0.1:${await freePort()}`;
  assert.match((await whyNot({ api, key: "k", guest: undefined }, [])) ?? "", new RegExp(`^--api ${api}: `));
});

describe("on the command line", () => {
  const rest = ["--api", "http://a", "--hooks", "http://h"];
  const file = ["--key-file", join(import.meta.dirname, "options.ts")];
  const wrong: Record<string, string[]> = {
    "--broker rabbit: one of mosquitto, emqx, vernemq": ["--broker", "rabbit"],
    "--broker emqx: it is not started here": ["--broker", "emqx"],
    "--hooks: it is of a system that runs already": ["--hooks", "http://h"],
    "--url http://b: mqtt://": ["--url", "http://b", ...rest],
    "--hooks is missing": ["--url", "mqtt://b", "--api", "http://a"],
    "--api ftp://a: http://": ["--url", "mqtt://b", "--hooks", "http://h", "--api", "ftp://a"],
    "--key-file is missing": ["--url", "mqtt://b", ...rest],
    "--key-file /no/such: ENOENT": ["--url", "mqtt://b", ...rest, "--key-file", "/no/such"],
    ".* it holds no key": ["--url", "mqtt://b", ...rest, ...file],
    "Unknown option '--urls'": ["--urls", "mqtt://b"],
    "Option '--url <value>' argument missing": ["--url"],
  };
  for (const [problem, args] of Object.entries(wrong))
    test(`${args.join(" ")} is refused in one sentence`, () => {
      const read = readOptions(args);
      assert.ok(read !== "help" && "problem" in read, JSON.stringify(read));
      assert.match(read.problem, new RegExp(`^${problem}`));
    });

  test("nothing at all means Mosquitto, started here", () => {
    assert.deepEqual(readOptions([]), { broker: "mosquitto", running: undefined, only: undefined, page: undefined });
  });
  test("what a broker must be told names the address that it must ask", () => {
    for (const { settings } of Object.values(brokers))
      assert.ok(settings("http://hooks:1").join().includes("http://hooks:1"));
  });
});
