// A server that answers as VerneMQ 2.2's HTTP API does, as its source has it: commands by GET alone, tables, alerts with status 200, a key as
// the user name. No VerneMQ runs here; what it is like inside is not played.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "@parley/testkit";

type Row = Record<string, unknown>;

export interface VernemqState {
  version: string;
  /** what `config show` tells of vmq_server, by name */
  config: Record<string, unknown>;
  plugins: Set<string>;
  webhooks: { hook: string; endpoint: string; noPayload: boolean }[];
  listeners: Row[];
}

export interface VernemqApi {
  url: string;
  key: string;
  state: VernemqState;
  /** commands that changed something */
  changes: string[];
}

/** What may be set while a node runs. */
const settable = new Set([
  "allow_anonymous",
  "allow_register_during_netsplit",
  "allow_publish_during_netsplit",
  "allow_subscribe_during_netsplit",
  "allow_unsubscribe_during_netsplit",
  "max_client_id_size",
  "max_subscriptions_per_client",
  "persistent_client_expiration",
  "max_inflight_messages",
  "max_online_messages",
  "max_offline_messages",
  "max_message_size",
  "topic_alias_max_client",
  "max_last_will_delay",
  "coordinate_registrations",
]);

/** As VerneMQ is after its installation. */
function fresh(): VernemqState {
  const off = { allow_register_during_netsplit: false, allow_publish_during_netsplit: false };
  const more = { allow_subscribe_during_netsplit: false, allow_unsubscribe_during_netsplit: false };
  const queues = { max_inflight_messages: 20, max_online_messages: 1000, max_offline_messages: 1000 };
  const sizes = { max_client_id_size: 100, max_message_size: 0, topic_max_depth: 10, topic_alias_max_client: 0 };
  const ends = { persistent_client_expiration: 0, max_last_will_delay: "client", max_subscriptions_per_client: 0 };
  const tcp = { type: "mqtt", status: "running", address: "0.0.0.0", port: "1883", allow_anonymous_override: false };
  const http = { type: "http", status: "running", address: "127.0.0.1", port: "8888" };
  return {
    version: "2.2.0",
    config: { allow_anonymous: false, coordinate_registrations: true, ...off, ...more, ...queues, ...sizes, ...ends },
    plugins: new Set(["vmq_acl", "vmq_passwd"]),
    webhooks: [],
    listeners: [{ ...tcp, allowed_protocol_versions: [3, 4, 5, 131] }, http],
  };
}

const done = { type: "text", text: "Done" };
const alert = (text: string) => ({ type: "alert", alert: [{ type: "text", text }] });

/** `change`: how it differs from a fresh one. */
export async function startVernemqApi(
  t: TestContext,
  change: (state: VernemqState) => void = () => {},
): Promise<VernemqApi> {
  const state = fresh();
  change(state);
  const key = "key-of-a-test";
  const changes: string[] = [];
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? "", "http://vernemq");
    const answer = (status: number, body: string) => response.writeHead(status).end(body);
    if (url.pathname === "/status.json") {
      const node = { num_online: 0, version: state.version, mystatus: [{ "VerneMQ@n0": true }] };
      return answer(200, JSON.stringify([{ "VerneMQ@n0": node }]));
    }
    if (!url.pathname.startsWith("/api/v1/")) return answer(404, "");
    if (incoming.method !== "GET") return answer(405, "");
    if (incoming.headers.authorization !== `Basic ${Buffer.from(`${key}:`).toString("base64")}`) return answer(401, "");
    const command = url.pathname.slice("/api/v1/".length);
    const said = answerTo(state, command, url.searchParams);
    if (!said) return answer(400, "");
    if (said === done) changes.push(command);
    return answer(200, JSON.stringify(said));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, state, changes };
}

function answerTo(state: VernemqState, command: string, query: URLSearchParams): object | undefined {
  const table = (rows: Row[]) => ({ type: "table", table: rows });
  switch (command) {
    case "config/show":
      if (query.get("app") !== "vmq_server") return alert("App not configured via vmq_config");
      return table(
        Object.entries(state.config).map(([name, value]) => ({ Config: name, Env: value, Node: "", Global: "" })),
      );
    case "plugin/show":
      return table([...state.plugins].map((Plugin) => ({ Plugin, Type: "application", "Hook(s)": "", "M:F/A": "" })));
    case "listener/show":
      return table(state.listeners);
    case "webhooks/show":
      // The command comes with the plugin.
      if (!state.plugins.has("vmq_webhooks")) return undefined;
      return table(
        state.webhooks.map(({ hook, endpoint }) => ({ hook, endpoint, base64payload: true, response_timeout: 5000 })),
      );
    case "plugin/enable":
    case "plugin/disable":
      return plugin(state, command, query.get("--name") ?? "");
    case "webhooks/register":
    case "webhooks/deregister":
      return state.plugins.has("vmq_webhooks") ? webhook(state, command, query) : undefined;
    case "set":
      return set(state, query);
    default:
      return undefined;
  }
}

function plugin({ plugins, webhooks }: VernemqState, command: string, name: string): object {
  const isOn = plugins.has(name);
  if (command === "plugin/enable") {
    if (isOn) return alert(`Can't enable plugin: ${name} due to already_enabled`);
    plugins.add(name);
    return done;
  }
  if (!isOn) return alert(`Can't disable plugin: ${name} due to plugin_not_found`);
  plugins.delete(name);
  if (name === "vmq_webhooks") webhooks.length = 0;
  return done;
}

function webhook(state: VernemqState, command: string, query: URLSearchParams): object | undefined {
  const [hook, endpoint] = [query.get("hook") ?? "", query.get("endpoint") ?? ""];
  if (!/^(auth_)?on_\w+$/.test(hook) || !URL.canParse(endpoint)) return undefined;
  const at = state.webhooks.findIndex((one) => one.hook === hook && one.endpoint === endpoint);
  if (command === "webhooks/register") {
    if (at >= 0) return alert("can't register endpoint due to 'already_registered'");
    state.webhooks.push({ hook, endpoint, noPayload: query.get("--no_payload") === "true" });
    return done;
  }
  if (at < 0) return alert("can't deregister endpoint due to 'not_found'");
  state.webhooks.splice(at, 1);
  return done;
}

function set({ config }: VernemqState, query: URLSearchParams): object | undefined {
  const [[name, text] = ["", ""]] = [...query];
  if (!settable.has(name)) return undefined;
  const [, count, unit = ""] = /^(\d+)([hdw])$/.exec(text) ?? [];
  const seconds = { h: 3_600, d: 86_400, w: 604_800 }[unit];
  if (seconds !== undefined) config[name] = Number(count) * seconds;
  else config[name] = text === "on" ? true : text === "off" ? false : Number(text);
  return done;
}
