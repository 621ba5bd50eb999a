// What the tests of api stand on: a whole api on real NATS, Redis and SQLite, called over HTTP.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { login, ResultOf } from "@parley/protocol";
import { connectNats, type Health, type NatsConnection, readConfig, readSecrets, type Secrets } from "@parley/runtime";
import { serviceContext, startServers, type TestContext, type TestServer } from "@parley/testkit";
import { settings } from "../src/config.ts";
import { startApi } from "../src/service.ts";

export type Session = ResultOf<typeof login>;

export interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what api answers is what the tests look at
  body: any;
  headers: Headers;
}

export interface CallOptions {
  token?: string;
  /** sent as JSON */
  json?: unknown;
  /** sent as it is */
  raw?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

export interface TestApi {
  url: string;
  folder: string;
  nats: NatsConnection;
  natsServer: TestServer;
  redis: TestServer;
  secrets: Secrets;
  /** log lines so far */
  lines: Record<string, unknown>[];
  /** the parts of it that are not ready, and why */
  notReady(): Record<string, string>;
  call(verb: string, path: string, options?: CallOptions): Promise<Reply>;
  /** Registers and logs in. */
  user(uid: string, device?: string): Promise<Session>;
  logIn(uid: string, device?: string): Promise<Session>;
  /** Starts another one at its servers with these settings, and closes it. Rejects where it is refused. */
  tryStart(changed: Record<string, string>): Promise<void>;
  /** Ends it and starts another on the same data, on another port; `changed` settings hold from then on, empty ones are none. */
  restart(changed?: Record<string, string>): Promise<void>;
}

export const password = "correct horse";

/** With `beside` it is one more replica on that one's servers and secrets; `env` names the store they share. */
export async function startTestApi(
  t: TestContext,
  env: Record<string, string> = {},
  beside?: TestApi,
): Promise<TestApi> {
  const { redis, natsServer } = beside ?? (await startBothServers(t));
  const folder = beside?.folder ?? (await mkdtemp(join(tmpdir(), "parley-api-")));
  if (!beside) t.after(() => rm(folder, { recursive: true, force: true }));
  const own = { NATS_URL: natsServer.url, REDIS_URL: redis.url, PARLEY_DIR: folder, API_PORT: "0" };
  let config = readConfig(settings, { ...own, ...env });
  const secrets = readSecrets(config.PARLEY_SECRETS);
  const lines: Record<string, unknown>[] = [];
  const context = () => serviceContext("api", secrets, lines);
  const nats = await connectNats({ url: natsServer.url, name: "test", log: context().log });
  t.after(() => nats.close());
  let health: Health | undefined;
  const start = () => {
    const its = context();
    health = its.health;
    return startApi(config, its);
  };
  let service = await start();
  t.after(() => service.close());
  const urlNow = () => `http://127.0.0.1:${lines.findLast(({ what }) => what === "http")?.port}`;
  const api: TestApi = {
    url: urlNow(),
    folder,
    nats,
    natsServer,
    redis,
    secrets,
    lines,
    notReady: () => health?.reasons() ?? {},
    call: (verb, path, options = {}) => callUrl(`${api.url}${path}`, verb, options),
    async user(uid, device) {
      const registered = await api.call("POST", "/register", { json: { username: uid, password } });
      if (registered.status !== 200) throw new Error(JSON.stringify(registered.body));
      return api.logIn(uid, device);
    },
    async logIn(uid, device) {
      const json = { username: uid, password, ...(device === undefined ? {} : { device }) };
      const { status, body } = await api.call("POST", "/login", { json });
      if (status !== 200) throw new Error(JSON.stringify(body));
      return body as Session;
    },
    async tryStart(changed) {
      const other = await startApi(
        readConfig(settings, { ...own, ...env, ...changed }),
        serviceContext("api", secrets),
      );
      await other.close();
    },
    async restart(changed = {}) {
      await service.close();
      config = readConfig(settings, { ...own, ...env, ...changed });
      service = await start();
      api.url = urlNow();
    },
  };
  return api;
}

async function startBothServers(t: TestContext) {
  const { redis, nats } = await startServers(t, { redis: true, nats: true });
  return { redis, natsServer: nats };
}

export async function callUrl(
  url: string,
  verb: string,
  { token, json, raw, headers = {} }: CallOptions,
): Promise<Reply> {
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(url, {
    method: verb,
    redirect: "manual",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") && text !== "";
  return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
}
