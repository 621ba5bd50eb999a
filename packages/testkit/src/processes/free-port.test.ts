import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

const file = import.meta.resolve("./free-port.ts");
const asks = (count: number) =>
  `const { freePort } = await import(${JSON.stringify(file)});
   const ports = await Promise.all(Array.from({ length: ${count} }, freePort));
   process.stdout.write(JSON.stringify(ports));
   await new Promise((resolve) => process.stdin.resume().once("end", resolve));`;

test("processes that ask at the same time are given different ports, though nobody listens on them yet", async () => {
  // 8 x 200 of 17,000: chosen by chance alone, two would be the same all but surely.
  const running = Array.from({ length: 8 }, () => promisify(execFile)(process.execPath, ["-e", asks(200)]));
  const heard = running.map(
    ({ child }) => new Promise<number[]>((resolve) => child.stdout?.once("data", (text) => resolve(JSON.parse(text)))),
  );
  const ports = (await Promise.all(heard)).flat();
  for (const { child } of running) child.stdin?.end();
  await Promise.all(running);
  assert.equal(ports.length, 1_600);
  assert.equal(new Set(ports).size, ports.length);
});

test("a process that asks for more ports than it may own is given its first ones again, without those in use", async (t) => {
  const first = await freePort();
  const server = createServer().listen(first, "127.0.0.1");
  t.after(() => server.close());
  const ports: number[] = [];
  for (let count = 0; count < 1_000; count += 1) ports.push(await freePort());
  assert.ok(new Set(ports).size < 500);
  assert.ok(!ports.includes(first));
});

test("a process whose ports are all in use is given more", async (t) => {
  const ports = new Set<number>();
  for (let count = 0; count < 600; count += 1) {
    const port = await freePort();
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    ports.add(port);
  }
  assert.equal(ports.size, 600);
});
