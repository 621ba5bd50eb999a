// A whole presence on real NATS, Redis and SQLite, with api, router and the broker's list played.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AccountsRequest,
  AppError,
  type ConnectReply,
  type LastSeenPrivacy,
  type LoginsReply,
  type NotifyRequest,
  type PresenceNotice,
  type Revocation,
  type SeenRequest,
  type SessionEvent,
  subjects,
  type TreeEvent,
} from "@parley/protocol";
import { answerJson, connectNats, type NatsConnection, readConfig, requestJson } from "@parley/runtime";
import { serviceContext, startServers, type TestContext, type TestServer } from "@parley/testkit";
import { settings } from "../src/config.ts";
import { startPresence } from "../src/service.ts";

export const servicesSecret = "services-secret-of-a-test";

export interface Presence {
  nats: NatsConnection;
  redis: TestServer;
  lines: Record<string, unknown>[];
  /** every notify request so far */
  told: NotifyRequest[];
  /** uid → its contacts, as api answers */
  contacts: Map<string, string[]>;
  /** who may know when a user was last seen, as api answers */
  lastSeen: Map<string, LastSeenPrivacy>;
  /** whose contacts api was asked for */
  asked: string[];
  /** while it is there, api answers what it knew when it was asked, once this is resolved */
  holding: { api?: Promise<void> };
  /** of whom api says that there is no such user any more */
  gone: Set<string>;
  /** uid → the accounts of its login, as api answers */
  accounts: Map<string, string[]>;
  /** api answers no question about accounts */
  silent: { accounts?: boolean };
  /** who is a user, as api answers */
  users: Set<string>;
  /** what routers heard of trees */
  trees: TreeEvent[];
  /** what was asked of api's `tokens.revoke` */
  revoked: unknown[];
  /** what api answers to `tokens.logins` */
  logins: LoginsReply["logins"];
  /** what api answers to `tokens.revocations` */
  revocations: Revocation[];
  connect(clientId: string, more?: Record<string, unknown>, timeoutMs?: number): Promise<ConnectReply>;
  session(
    event: SessionEvent["event"],
    clientId: string,
    at?: number,
    connection?: string,
    more?: Partial<SessionEvent>,
  ): Promise<void>;
  publish(subject: string, body: unknown): Promise<void>;
  /** what a user's contacts were told of it, oldest first */
  noticesOf(uid: string): PresenceNotice[];
  /** one more replica on the same servers; its store is its own */
  stop(): Promise<void>;
}

export async function startOne(
  t: TestContext,
  env: Record<string, string> = {},
  shared?: { redis: TestServer; natsServer: TestServer },
): Promise<Presence & { natsServer: TestServer; folder: string }> {
  const servers = shared ?? (await startShared(t));
  const folder = env.PARLEY_DIR ?? (await mkdtemp(join(tmpdir(), "parley-presence-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = readConfig(settings, {
    NATS_URL: servers.natsServer.url,
    REDIS_URL: servers.redis.url,
    PARLEY_DIR: folder,
    PRESENCE_OFFLINE_DELAY_MS: "50",
    PRESENCE_NOTICE_INTERVAL_MS: "20",
    PRESENCE_START_STATE_DELAY_MS: "0",
    ...env,
  });
  const context = serviceContext("presence", { servicesSecret });
  const { lines, log } = context;
  const nats = await connectNats({ url: servers.natsServer.url, name: "test", log });
  t.after(() => nats.close());
  const played = shared
    ? {
        told: [],
        contacts: new Map(),
        lastSeen: new Map(),
        asked: [],
        holding: {},
        gone: new Set<string>(),
        accounts: new Map(),
        silent: {},
        users: new Set<string>(),
        trees: [],
        revoked: [],
        revocations: [],
        logins: [],
      }
    : play(nats);
  const service = await startPresence(config, context);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= service.close();
    return stopped;
  };
  t.after(stop);
  const publish = async (subject: string, body: unknown) => {
    nats.publish(subject, typeof body === "string" ? body : JSON.stringify(body));
    await nats.flush();
  };
  return {
    ...servers,
    ...played,
    folder,
    nats,
    lines,
    publish,
    stop,
    connect: (clientId, more = {}, timeoutMs = 30_000) => {
      const uid = clientId.split(":")[0];
      const body = { uid, clientId, credential: "token", at: Date.now(), ...more };
      return requestJson(nats, subjects.connectDevice, body, { timeoutMs });
    },
    session: (event, clientId, at = Date.now(), connection, more = {}) =>
      publish(subjects.sessionEvent, { event, clientId, at, connection, ...more }),
    noticesOf: (uid) =>
      played.told
        .filter(({ uids }) => uids !== undefined)
        .map(({ packet }) => packet as PresenceNotice)
        .filter((notice) => notice.uid === uid),
  };
}

async function startShared(t: TestContext) {
  const { redis, nats: natsServer } = await startServers(t, { redis: true, nats: true });
  return { redis, natsServer };
}

function play(nats: NatsConnection) {
  const played = {
    told: [] as NotifyRequest[],
    contacts: new Map<string, string[]>(),
    lastSeen: new Map<string, LastSeenPrivacy>(),
    asked: [] as string[],
    holding: {} as Presence["holding"],
    gone: new Set<string>(),
    accounts: new Map<string, string[]>(),
    silent: {} as Presence["silent"],
    users: new Set<string>(),
    trees: [] as TreeEvent[],
    revoked: [] as unknown[],
    revocations: [] as Revocation[],
    logins: [] as LoginsReply["logins"],
  };
  answerJson(nats, subjects.logins, "api", () => ({ logins: played.logins }));
  answerJson<{ uid: string }>(nats, subjects.userExists, "api", ({ uid }) => ({ exists: played.users.has(uid) }));
  answerJson<AccountsRequest>(nats, subjects.accountsOf, "api", ({ uids }) => {
    const { accounts, silent } = played;
    if (silent.accounts) throw new AppError("unavailable");
    return { accounts: Object.fromEntries(uids.map((uid) => [uid, accounts.get(uid) ?? [uid]])) };
  });
  nats.subscribe(subjects.treeEvent, { callback: (_, message) => void played.trees.push(message.json()) });
  answerJson<{ uid: string }>(nats, subjects.contacts, "api", async ({ uid }) => {
    played.asked.push(uid);
    const uids = played.contacts.get(uid) ?? [];
    const lastSeen = played.lastSeen.get(uid) ?? "contacts";
    await played.holding.api;
    return { uids, lastSeen, ...(played.gone.has(uid) ? { isGone: true } : {}) };
  });
  answerJson<SeenRequest>(nats, subjects.seen, "api", ({ uid, by }) => {
    const presence = uid === by || (played.contacts.get(by) ?? []).includes(uid);
    return { presence, lastSeen: (played.lastSeen.get(uid) ?? "contacts") !== "nobody" && presence };
  });
  answerJson(nats, subjects.revokeDevice, "api", (asked) => {
    played.revoked.push(asked);
    return {};
  });
  answerJson(nats, subjects.revocations, "api", () => ({ revocations: played.revocations, next: null }));
  nats.subscribe(subjects.notify, { callback: (_, message) => void played.told.push(message.json()) });
  return played;
}

export interface PlayedBroker {
  url: string;
  /** what is connected, as the list will say */
  clients: Map<string, number>;
  /** names of their connections, of those that have one; the edge's list tells them */
  names: Map<string, string>;
  /** requests so far: method, path and query, authorization */
  asked: { method: string; url: string; authorization: string; body?: string }[];
  /** status of all answers */
  status: number;
}

/** The broker's HTTP API; `list` makes its answer in that broker's shape. */
export async function playBroker(
  t: TestContext,
  list: (clients: Map<string, number>, url: URL, names: Map<string, string>) => unknown = edgeList,
): Promise<PlayedBroker> {
  const broker: PlayedBroker = { url: "", clients: new Map(), names: new Map(), asked: [], status: 200 };
  const server = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    let body = "";
    for await (const part of request) body += part;
    broker.asked.push({ method, url, authorization: headers.authorization ?? "", ...(body && { body }) });
    const isList = method === "GET" && !/session\/disconnect|cache/.test(url);
    const answer = isList ? list(broker.clients, new URL(url, "http://broker"), broker.names) : [];
    const status = method === "DELETE" && broker.status === 200 ? 204 : broker.status;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(status === 204 ? undefined : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  broker.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  return broker;
}

function edgeList(clients: Map<string, number>, _: URL, names: Map<string, string>): unknown {
  const rows = [...clients].map(([client_id, connected_at]) => {
    return { client_id, connection_id: names.get(client_id), connected_at, username: client_id.split(":")[0] };
  });
  return { clients: rows };
}
