// What failures of MongoDB's driver are told as.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { StoreError } from "../store-error.ts";
import { asStoreError } from "./mongo-error.ts";

test("a socket's own error, which the driver hands on as it is, leaves the outcome unknown like any lost connection", async (t) => {
  const server = createServer((socket) => socket.resetAndDestroy());
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect(server.address() as { port: number });
  const error = await new Promise<Error>((resolve) => socket.on("error", resolve));
  const told = asStoreError(error, "the store");
  assert.ok(told instanceof StoreError);
  assert.equal(told.code, "unavailable");
});

test("a bug stays what it is", () => {
  const bug = new TypeError("x is not a function");
  assert.equal(asStoreError(bug, "the store"), bug);
});
