// Tokens and settings of push in this process, on a store of the test's own; and what devices ask them by.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Caller,
  type ParamsOf,
  type PushRegistration,
  pushList,
  pushRegister,
  pushRemove,
  type RegisteredToken,
} from "@parley/protocol";
import { callMethod, connectNats, type NatsConnection } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, type TestContext } from "@parley/testkit";
import { openRegistered, type Registered } from "../src/registered.ts";
import type { Others } from "./others.ts";

export interface TestRegistered extends Registered {
  nats: NatsConnection;
  lines: Record<string, unknown>[];
  /** resolves when it is sure who is logged in */
  sound(): Promise<unknown>;
  stop(): Promise<void>;
}

export async function storeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-push-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return `sqlite:${folder}`;
}

export async function startRegistered(
  t: TestContext,
  { natsServer }: Others,
  storeUrl: string,
): Promise<TestRegistered> {
  const { log, lines, pass } = serviceContext("push");
  const store = await openStore(storeUrl, { service: "push" });
  const nats = await connectNats({ url: natsServer.url, name: "push", log });
  const parts = { documents: store.documents(), nats, vapidPublicKey: "key", pass, log };
  const registered = await openRegistered(parts);
  const serving = registered.serve("push");
  await nats.flush();
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    await Promise.all(serving.map((one) => one.close()));
    await registered.close();
    await nats.close();
    await store.close();
  };
  const stopOnce = () => {
    stopping ??= stop();
    return stopping;
  };
  t.after(stopOnce);
  return {
    ...registered,
    nats,
    lines,
    sound: () => eventually(() => registered.tokens.areSound() === true),
    stop: stopOnce,
  };
}

const timeoutMs = 30_000;

/** As its device asks, with what it is logged in with. */
export function callerOf(uid: string, device: string, made: Partial<Caller> = {}): Caller {
  return { uid, clientId: `${uid}:${device}`, via: "http", issuedAt: Date.now() / 1000, ...made };
}

export function register(
  nats: NatsConnection,
  caller: Caller,
  params: PushRegistration,
  waitMs = timeoutMs,
): Promise<{ id: string }> {
  return callMethod(nats, pushRegister, caller, params, { timeoutMs: waitMs });
}

export async function remove(nats: NatsConnection, caller: Caller, params: ParamsOf<typeof pushRemove>): Promise<void> {
  await callMethod(nats, pushRemove, caller, params, { timeoutMs });
}

export async function list(nats: NatsConnection, uid: string): Promise<RegisteredToken[]> {
  return (await callMethod(nats, pushList, { uid, via: "mqtt" }, {}, { timeoutMs })).tokens;
}

/** One of Firebase, that no other test has. */
export function fcm(token = randomBytes(24).toString("hex")): PushRegistration & { token: string } {
  return { kind: "fcm", token, appId: "com.example.chat" };
}
