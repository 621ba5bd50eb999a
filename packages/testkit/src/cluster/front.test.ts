import assert from "node:assert/strict";
import { connect, createServer, type Server } from "node:net";
import { test } from "node:test";
import { freePort } from "../processes/free-port.ts";
import type { TestContext } from "../testing/start-servers.ts";
import { startFront } from "./front.ts";

/** A replica that says its name to whoever connects. */
async function startNamed(t: TestContext, name: string): Promise<{ port: number; server: Server }> {
  const port = await freePort();
  const server = createServer((socket) => void socket.on("error", () => {}).end(name));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { port, server };
}

async function askName(port: number): Promise<string> {
  let name = "";
  for await (const text of connect(port, "127.0.0.1").setEncoding("utf8")) name += text;
  return name;
}

test("connections go to the replicas in turn, and past one that does not answer", async (t) => {
  const [a, b] = [await startNamed(t, "a"), await startNamed(t, "b")];
  const port = await freePort();
  const front = await startFront(port, [a.port, b.port]);
  t.after(() => front.close());
  const names = [await askName(port), await askName(port), await askName(port), await askName(port)];
  assert.deepEqual(names.sort(), ["a", "a", "b", "b"]);
  a.server.close();
  assert.deepEqual([await askName(port), await askName(port)], ["b", "b"]);
});

test("a client that no replica takes is disconnected", async (t) => {
  const port = await freePort();
  const front = await startFront(port, [await freePort(), await freePort()]);
  t.after(() => front.close());
  assert.equal(await askName(port), "");
});
