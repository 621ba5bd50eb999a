// Accounts without the service around them, on real NATS and SQLite: for tests that hold a check, a clock or a write.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Caller, Method } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { openStore } from "@parley/store";
import { serviceContext, startServers, type TestContext } from "@parley/testkit";
import { startRevoke } from "../src/accounts/revoke.ts";
import type { Bound } from "../src/call.ts";
import { openApiStore } from "../src/store.ts";

/** What methods of accounts take, but the passwords. */
export async function startAccountsAlone(t: Pick<TestContext, "after">) {
  const folder = await mkdtemp(join(tmpdir(), "parley-accounts-"));
  const { nats: natsServer } = await startServers(t, { nats: true });
  const context = serviceContext("api", { signingKey: Buffer.alloc(32, 1), servicesSecret: "", hookSecret: "" });
  const { log, pass } = context;
  const nats = await connectNats({ url: natsServer.url, name: "test", log });
  const kept = await openStore(`sqlite:${folder}`, { service: "api" });
  const store = await openApiStore(kept.documents());
  const revoke = await startRevoke({ store, nats, log, pass });
  t.after(async () => {
    await revoke.close();
    await kept.close();
    await nats.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    ...{ store, nats, log, pass, revoke },
    ...{ signingKey: context.secrets().signingKey, mqtt: { host: "h", port: 1 } },
    ...{ registerAllowed: true, guests: [], registrations: { take: () => 0, peek: () => 0 } },
    limits: { guess: (_user: string, _address: string, check: () => Promise<boolean>) => check() },
  };
}

/** Calls one of the methods as over HTTP. */
export function callOf(bound: readonly Bound[]) {
  return async (method: Method["name"], params: object, caller: Partial<Caller>, operation: string) => {
    const work = bound.find((one) => one.method.name === method)?.work;
    return work?.(params as never, { caller: { uid: "", via: "http", ...caller }, operation, address: "a", ws: "" });
  };
}
