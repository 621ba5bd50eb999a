// A whole auth-webhook on real NATS and Redis, with api and presence played over NATS.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AppError,
  type ConnectReply,
  type ConnectRequest,
  type FiltersChange,
  type LoginsReply,
  type PasswordRequest,
  type Revocation,
  subjects,
  type UnchangedRequest,
} from "@parley/protocol";
import type { Dialect } from "@parley/protocol/dialects";
import { answerJson, connectNats, type NatsConnection, readConfig, readSecrets } from "@parley/runtime";
import { eventually, serviceContext, startServers, type TestContext, type TestServer } from "@parley/testkit";
import { SignJWT } from "jose";
import { settings } from "../src/config.ts";
import { startAuthWebhook } from "../src/service.ts";
import { type LinkReply, openLink } from "./link.ts";

export interface Webhook {
  url: string;
  /** with the secrets */
  folder: string;
  nats: NatsConnection;
  redis: TestServer;
  natsServer: TestServer;
  secrets: ReturnType<typeof readSecrets>;
  /** What api and presence answer; change it as the test needs. */
  peers: Peers;
  /** log lines so far */
  lines: Record<string, unknown>[];
  ready(): boolean;
  stop(): Promise<void>;
  token(claims?: Record<string, unknown>, alg?: string): Promise<string>;
  vernemq(hook: string, body: unknown, asking?: { secret?: string; path?: string }): Promise<Reply>;
  /** asks as the edge does, on a link of its own */
  edge(hook: string, body: object): Promise<LinkReply>;
  emqx(path: string, body: unknown, secret?: string): Promise<Reply>;
}

export interface Peers {
  /** undefined: presence does not answer */
  presence: ((request: ConnectRequest) => ConnectReply | Promise<ConnectReply>) | undefined;
  password(request: PasswordRequest): boolean;
  /** since when the account has it, as api says */
  passwordSince: number;
  revocations: Revocation[] | undefined;
  /** who is a user; undefined: api does not answer that */
  users: Set<string> | undefined;
  logins: LoginsReply["logins"];
  /** does presence keep what devices subscribe? */
  keepsFilters: boolean;
  asked: {
    presence: ConnectRequest[];
    /** how many of them each request held */
    together: number[];
    password: PasswordRequest[];
    ensured: string[];
    filters: FiltersChange[];
  };
}

export interface Reply {
  status: number;
  body: unknown;
  cacheControl: string | null;
}

/** With `beside` it is one more replica on that one's servers, secrets and peers. */
export async function startWebhook(
  t: TestContext,
  env: Record<string, string> = {},
  answers: Partial<Peers> = {},
  beside?: Webhook,
  dialects?: readonly Dialect[],
): Promise<Webhook> {
  const { redis, natsServer } = beside ?? (await startBothServers(t));
  const folder = beside?.folder ?? (await mkdtemp(join(tmpdir(), "parley-hooks-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const servers = { NATS_URL: natsServer.url, REDIS_URL: redis.url, PARLEY_DIR: folder };
  // Only a test of it has presence late.
  const config = readConfig(settings, { ...servers, AUTH_WEBHOOK_PRESENCE_TIMEOUT_MS: "2000", ...env });
  const secrets = readSecrets(config.PARLEY_SECRETS);
  const context = serviceContext("auth-webhook", secrets);
  const { lines, log, health } = context;
  const nats = await connectNats({ url: natsServer.url, name: "test", log });
  t.after(() => nats.close());
  const peers = beside?.peers ?? Object.assign(playPeers(nats), answers);
  const service = await startAuthWebhook(config, context, dialects);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= service.close();
    return stopped;
  };
  t.after(stop);
  const port = lines.find(({ what }) => what === "hooks")?.port;
  const url = `http://127.0.0.1:${port}`;
  const ready = () => Object.keys(health.reasons()).length === 0;
  if (peers.revocations) await eventually(ready);
  await eventually(() => lines.some(({ event }) => event === "redis_connected"));
  return {
    url,
    folder,
    nats,
    redis,
    natsServer,
    secrets,
    peers,
    lines,
    ready,
    stop,
    token: (claims, alg = "HS256") => signToken(secrets.signingKey, claims, alg),
    vernemq: (hook, body, { secret = secrets.hookSecret, path = "" } = {}) =>
      post(`${url}/vernemq/${secret}${path}`, body, { "vernemq-hook": hook }),
    edge: async (hook, body) => (await openLink(t, url, secrets.hookSecret)).ask(hook, body),
    emqx: (path, body, secret = secrets.hookSecret) =>
      post(`${url}/emqx/${path}`, body, { authorization: `Bearer ${secret}` }),
  };
}

async function startBothServers(t: TestContext) {
  const { redis, nats } = await startServers(t, { redis: true, nats: true });
  return { redis, natsServer: nats };
}

/** Unix seconds at which the tokens of `token()` end. */
export const exp = Math.floor(Date.now() / 1000) + 3600;

function signToken(key: Uint8Array, claims: Record<string, unknown> = {}, alg: string): Promise<string> {
  const iat = Date.now() / 1000;
  return new SignJWT({ sub: "alice", clientId: "alice:phone", jti: "1", iat, exp, ...claims })
    .setProtectedHeader({ alg })
    .sign(key);
}

function playPeers(nats: NatsConnection): Peers {
  const peers: Peers = {
    presence: () => ({ ok: true }),
    password: ({ username, password }) => username === "alice" && password === "right password",
    passwordSince: 1,
    revocations: [],
    users: new Set(["alice", "bob"]),
    logins: [],
    keepsFilters: true,
    asked: { presence: [], together: [], password: [], ensured: [], filters: [] },
  };
  const connectOne = (request: ConnectRequest) => {
    peers.asked.presence.push(request);
    return peers.presence?.(request) ?? new Promise<never>(() => {});
  };
  answerJson<ConnectRequest | ConnectRequest[]>(nats, subjects.connectDevice, "presence", (asked) => {
    peers.asked.together.push(Array.isArray(asked) ? asked.length : 1);
    return Array.isArray(asked) ? Promise.all(asked.map(connectOne)) : connectOne(asked);
  });
  answerJson<PasswordRequest>(nats, subjects.verifyPassword, "api", (request) => {
    peers.asked.password.push(request);
    const { username } = request;
    const uid = username === "phone.4930" ? "alice" : username;
    return { ok: peers.password(request), uid, passwordSince: peers.passwordSince };
  });
  answerJson<UnchangedRequest>(nats, subjects.passwordUnchanged, "api", ({ passwordSince }) => {
    return { ok: passwordSince === peers.passwordSince };
  });
  answerJson<{ uid: string }>(nats, subjects.ensureUser, "api", ({ uid }) => {
    peers.asked.ensured.push(uid);
    return { ok: uid !== "roomname" };
  });
  answerJson<{ uid: string }>(nats, subjects.userExists, "api", ({ uid }) => {
    return peers.users ? { exists: peers.users.has(uid) } : new Promise(() => {});
  });
  answerJson(nats, subjects.logins, "api", () => ({ logins: peers.logins }));
  answerJson<FiltersChange>(nats, subjects.treeFilters, "presence", (change) => {
    if (!peers.keepsFilters) throw new AppError("unavailable");
    peers.asked.filters.push(change);
    return {};
  });
  answerJson(nats, subjects.revocations, "api", () => {
    return peers.revocations ? { revocations: peers.revocations, next: null } : new Promise(() => {});
  });
  return peers;
}

/** `body` is sent as it is when it is text. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const cacheControl = response.headers.get("cache-control");
  return { status: response.status, body: await response.json(), cacheControl };
}

/** An HTTP server of a test's own that answers `body` to everything. */
export async function serveJson(t: TestContext, body: () => unknown): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
