// A server that answers as EMQX 5.8's HTTP API does, as far as it is documented: paths, methods, codes, hidden secrets. It is strict:
// what a real one would not take is refused. No EMQX runs here; what it is like inside is not played.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "@parley/testkit";
import { knownSettings, leavesOf } from "./known.ts";

type Tree = Record<string, unknown>;

export interface EmqxState {
  versions: string[];
  mqtt: Tree;
  flapping_detect: Tree;
  force_shutdown: Tree;
  zones: Record<string, Tree>;
  authorization: Tree;
  sources: Tree[];
  authentication: Tree[];
  listeners: Record<string, Tree>;
  connectors: Record<string, Tree>;
  actions: Record<string, Tree>;
  rules: Record<string, Tree>;
  retainer: Tree;
  delayed: Tree;
  clients: Tree[];
}

export interface EmqxApi {
  url: string;
  key: string;
  state: EmqxState;
  /** what changed something: `PUT /configs/global_zone` */
  changes: string[];
}

/** As EMQX is after its installation. */
function fresh(): EmqxState {
  const tls = { ssl_options: { certfile: "/opt/emqx/etc/certs/cert.pem", keyfile: "/opt/emqx/etc/certs/key.pem" } };
  const websocket = {
    mqtt_path: "/mqtt",
    proxy_address_header: "x-forwarded-for",
    proxy_port_header: "x-forwarded-port",
  };
  const listener = (bind: string) => ({
    enable: true,
    bind,
    mountpoint: "",
    zone: "default",
    max_connections: "infinity",
  });
  return {
    versions: ["5.8.9"],
    mqtt: {
      max_packet_size: "1MB",
      max_topic_levels: 128,
      max_inflight: 32,
      shared_subscription: true,
      idle_timeout: "15s",
      client_attrs_init: [],
    },
    flapping_detect: { enable: false, window_time: "1m", max_count: 15, ban_time: "5m" },
    force_shutdown: { enable: true, max_heap_size: "32MB", max_mailbox_size: 1000 },
    zones: {},
    authorization: {
      no_match: "allow",
      deny_action: "ignore",
      cache: { enable: true, max_size: 32, ttl: "1m", excludes: [] },
    },
    sources: [{ type: "file", enable: true, rules: "{allow, all}." }],
    authentication: [],
    listeners: {
      "tcp:default": listener("0.0.0.0:1883"),
      "ssl:default": { ...listener("0.0.0.0:8883"), ...tls },
      "ws:default": { ...listener("0.0.0.0:8083"), websocket },
      "wss:default": { ...listener("0.0.0.0:8084"), ...tls, websocket },
    },
    connectors: {},
    actions: {},
    rules: {},
    retainer: { enable: true, max_payload_size: "1MB" },
    delayed: { enable: true, max_delayed_messages: 0 },
    clients: [],
  };
}

interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  type: string;
}
type Answer = [status: number, body?: unknown];

const known = knownSettings("emqx-5.8.9.txt");

/** `change`: how it differs from a fresh one. */
export async function startEmqxApi(t: TestContext, change: (state: EmqxState) => void = () => {}): Promise<EmqxApi> {
  const state = fresh();
  change(state);
  const key = "key-of-a-test:secret-of-a-test";
  const changes: string[] = [];
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? "", "http://emqx");
    const answer = (status: number, body?: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === undefined ? "" : JSON.stringify(body));
    };
    if (incoming.headers.authorization !== `Basic ${Buffer.from(key).toString("base64")}`)
      return answer(401, { code: "BAD_API_KEY_OR_SECRET", message: "Check api_key/api_secret" });
    const text = await textOf(incoming);
    const type = incoming.headers["content-type"] ?? "";
    const body = type === "application/json" && text !== "" ? JSON.parse(text) : text;
    const request = { method: incoming.method ?? "", path: url.pathname, query: url.searchParams, body, type };
    const [status, said] = answerTo(state, request);
    if (request.method !== "GET" && status < 300)
      changes.push(`${request.method} ${request.path.replace("/api/v5", "")}`);
    return answer(status, said);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, state, changes };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of incoming) text += part;
  return text;
}

const notFound: Answer = [404, { code: "NOT_FOUND", message: "not found" }];
const wrongMethod: Answer = [405, { code: "METHOD_NOT_ALLOWED", message: "method not allowed" }];

function answerTo(state: EmqxState, request: Request): Answer {
  const { method, path } = request;
  const route = decodeURIComponent(path).replace(/^\/api\/v5/, "");
  if (method !== "GET" && method !== "DELETE" && route !== "/configs" && request.type !== "application/json")
    return [415, { code: "UNSUPPORTED_MEDIA_TYPE", message: "application/json is needed" }];
  const [, collection = "", id] =
    /^\/(authentication|listeners|connectors|actions|rules)(?:\/(.+))?$/.exec(route) ?? [];
  if (collection === "authentication") return authentication(state, request, id);
  if (collection !== "") return entries(state, request, collection as "rules", id);
  switch (route) {
    case "/nodes":
      return [200, state.versions.map((version, at) => ({ node: `emqx@n${at}`, version, node_status: "running" }))];
    case "/configs/global_zone":
      return globalZone(state, request);
    case "/configs":
      return configs(state, request);
    case "/clients": {
      const like = request.query.get("like_clientid") ?? "";
      return [
        200,
        {
          data: state.clients.filter(({ clientid }) => String(clientid).includes(like)),
          meta: { page: 1, limit: 20, hasnext: false },
        },
      ];
    }
    case "/authorization/settings":
      return one(state, "authorization", request, ["no_match", "deny_action", "cache"]);
    case "/authorization/sources":
      return method === "GET" ? [200, { sources: state.sources }] : wrongMethod;
    case "/authorization/sources/file": {
      if (method !== "DELETE") return wrongMethod;
      if (!state.sources.some(({ type }) => type === "file")) return notFound;
      state.sources = state.sources.filter(({ type }) => type !== "file");
      return [204];
    }
    case "/mqtt/retainer":
      return one(state, "retainer", request, ["enable"]);
    case "/mqtt/delayed":
      return one(state, "delayed", request, ["enable"]);
    default:
      return notFound;
  }
}

/** Whatever is no setting of this EMQX is refused, as its schema does. */
function unknownIn(value: unknown, root: string): Answer | undefined {
  const unknown = leavesOf(value, root).find((name) => !known(name));
  return unknown === undefined ? undefined : [400, { code: "BAD_REQUEST", message: `unknown_fields: ${unknown}` }];
}

function one(
  state: EmqxState,
  root: "authorization" | "retainer" | "delayed",
  { method, body }: Request,
  required: string[],
): Answer {
  if (method === "GET") return [200, state[root]];
  if (method !== "PUT") return wrongMethod;
  const missing = required.find((name) => !Object.hasOwn(body as Tree, name));
  if (missing !== undefined) return [400, { code: "BAD_REQUEST", message: `${missing} is required` }];
  const refused = unknownIn(body, root);
  if (refused) return refused;
  state[root] = body as Tree;
  return [200, body];
}

function globalZone(state: EmqxState, { method, body }: Request): Answer {
  const { mqtt, flapping_detect, force_shutdown } = state;
  if (method === "GET") return [200, { mqtt, flapping_detect, force_shutdown }];
  if (method !== "PUT") return wrongMethod;
  const refused = unknownIn(body, "");
  if (refused) return refused;
  // A root is replaced as a whole.
  Object.assign(state, body);
  return [200, body];
}

function configs(state: EmqxState, { method, body, query, type }: Request): Answer {
  if (method !== "PUT" || type !== "text/plain" || query.get("mode") !== "merge") return wrongMethod;
  const tree = JSON.parse(body as string) as Tree;
  const readOnly = Object.keys(tree).find((root) => root === "node" || root === "rpc");
  if (readOnly !== undefined) return [400, `Cannot update read-only key '${readOnly}'.`];
  const refused = unknownIn(tree, "");
  if (refused) return refused;
  Object.assign(state.zones, tree.zones);
  return [200];
}

function authentication(state: EmqxState, { method, body }: Request, id: string | undefined): Answer {
  const at = state.authentication.findIndex(({ mechanism, backend }) => `${mechanism}:${backend}` === id);
  if (method === "GET" && id === undefined) return [200, state.authentication.map(hide)];
  if (id === undefined ? method !== "POST" : method !== "PUT") return wrongMethod;
  if (id !== undefined && at < 0) return notFound;
  const refused = unknownIn([body], "authentication");
  if (refused) return refused;
  const { mechanism, backend } = body as Tree;
  if (
    id === undefined &&
    state.authentication.some((other) => other.mechanism === mechanism && other.backend === backend)
  )
    return [409, { code: "ALREADY_EXISTS", message: "already exists" }];
  if (id === undefined) state.authentication.push(body as Tree);
  else state.authentication[at] = body as Tree;
  return [200, hide(body as Tree)];
}

const rootOf = {
  listeners: "listeners",
  connectors: "connectors",
  actions: "actions",
  rules: "rule_engine.rules",
} as const;

function entries(
  state: EmqxState,
  { method, body }: Request,
  collection: keyof typeof rootOf,
  id: string | undefined,
): Answer {
  const all = state[collection];
  if (method === "GET" && id === undefined)
    return [200, Object.entries(all).map(([name, { enable, bind }]) => ({ id: name, enable, bind }))];
  if (id === undefined) return method === "POST" ? create(state, collection, body as Tree) : wrongMethod;
  const found = all[id];
  if (!found) return missingOf(collection);
  if (method === "GET") return [200, shown(collection, id, hide(found))];
  return method === "PUT" ? update(state, collection, { id, body: body as Tree }) : wrongMethod;
}

function create(state: EmqxState, collection: keyof typeof rootOf, body: Tree): Answer {
  const { type, name, id, ...settings } = body;
  const key = collection === "rules" ? String(id) : `${type}:${name}`;
  if (state[collection][key]) return [400, { code: "ALREADY_EXISTS", message: key }];
  return put(state, collection, { key, settings, status: 201 });
}

function update(state: EmqxState, collection: keyof typeof rootOf, { id, body }: { id: string; body: Tree }): Answer {
  const { type, name: _, id: named, ...settings } = body;
  if (collection !== "listeners") return put(state, collection, { key: id, settings, status: 200 });
  if (named !== id || type !== id.split(":")[0])
    return [400, { code: "BAD_LISTENER_ID", message: "id is inconsistent" }];
  return put(state, collection, { key: id, settings: { ...state.listeners[id], ...settings }, status: 200 });
}

function put(
  state: EmqxState,
  collection: keyof typeof rootOf,
  { key, settings, status }: { key: string; settings: Tree; status: number },
): Answer {
  const refused =
    unknownIn(settings, `${rootOf[collection]}.${key.replace(":", ".")}`) ?? dangling(state, collection, settings);
  if (refused) return refused;
  state[collection][key] = settings;
  return [status, shown(collection, key, hide(settings))];
}

/** Names of what is not there. */
function dangling(state: EmqxState, collection: string, { connector, actions, zone }: Tree): Answer | undefined {
  const refuse = (what: string): Answer => [400, { code: "BAD_REQUEST", message: `${what} not found` }];
  if (collection === "actions" && !state.connectors[`http:${connector}`]) return refuse(`connector ${connector}`);
  if (collection === "rules" && !(actions as string[]).every((one) => state.actions[one])) return refuse("action");
  if (collection === "listeners" && zone !== "default" && zone !== undefined && !state.zones[String(zone)])
    return refuse(`zone ${zone}`);
  return undefined;
}

function missingOf(collection: string): Answer {
  return collection === "listeners" ? [404, { code: "BAD_LISTENER_ID", message: "Listener id not found" }] : notFound;
}

function shown(collection: string, id: string, entry: Tree): Tree {
  const [type, name] = id.split(":");
  if (collection === "listeners") return { ...entry, id, type, running: true, current_connections: 0 };
  return collection === "rules" ? { ...entry, id } : { ...entry, type, name, status: "connected", node_status: [] };
}

/** Secrets are shown as stars. */
function hide(entry: Tree): Tree {
  return JSON.parse(JSON.stringify(entry), (name, value) => (name === "authorization" ? "******" : value));
}
