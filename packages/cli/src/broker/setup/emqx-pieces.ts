// EMQX's configuration in the pieces that its HTTP API reads and writes, each with its place in deploy/emqx/emqx.conf.
import type { SettingTree } from "../settings/setting.ts";
import type { AdminApi } from "./admin-api.ts";

export interface Piece {
  /** where it is in the file; what is below this name is compared */
  root: string;
  /** undefined: EMQX has it not */
  read(): Promise<SettingTree | undefined>;
  write(wanted: SettingTree, found: SettingTree | undefined): Promise<void>;
}

export const api5 = "/api/v5";
/** What the API tells of a listener that is no setting of it. */
const told = ["running", "current_connections", "status", "node_status", "number", "name"];

/** In the order in which they may be written: doors are closed first, and nothing is named before it is there. */
export function emqxPieces(api: AdminApi): Piece[] {
  return [
    whole(api, "authorization", "/authorization/settings"),
    authenticator(api),
    zoneRoot(api, "mqtt"),
    zoneRoot(api, "flapping_detect"),
    zones(api),
    ...["tcp:services", "tcp:default", "ws:default", "ssl:default", "wss:default"].map((id) => listener(api, id)),
    entry(api, { root: "connectors.http.parley", list: "/connectors", id: "http:parley", names: typed }),
    entry(api, { root: "actions.http.parley", list: "/actions", id: "http:parley", names: typed }),
    entry(api, { root: "rule_engine.rules.parley", list: "/rules", id: "parley", names: { id: "parley" } }),
    whole(api, "retainer", "/mqtt/retainer"),
    whole(api, "delayed", "/mqtt/delayed"),
  ];
}

const typed = { type: "http", name: "parley" };

/** One that is written as it was read. */
function whole(api: AdminApi, root: string, path: string): Piece {
  return {
    root,
    read: async () => (await api.ask(`${api5}${path}`)) as SettingTree | undefined,
    async write(wanted, found) {
      // Of the rules' sources there is a list of its own.
      const { sources: _, ...rest } = wanted;
      await api.ask(`${api5}${path}`, "PUT", merge(found ?? {}, rest));
    },
  };
}

function zoneRoot(api: AdminApi, root: string): Piece {
  const path = `${api5}/configs/global_zone`;
  return {
    root,
    read: async () => ((await api.ask(path)) as Record<string, SettingTree> | undefined)?.[root],
    async write(wanted, found) {
      await api.ask(path, "PUT", { [root]: merge(found ?? {}, wanted) });
    },
  };
}

/** No path shows other zones than the global one; what sessions have shows the one of the services. */
function zones(api: AdminApi): Piece {
  return {
    root: "zones.services",
    async read() {
      const found = (await api.ask(`${api5}/clients?like_clientid=router-p&limit=20&page=1`)) as {
        data?: SettingTree[];
      };
      const session = found?.data?.find(({ clientid }) => /^router-p[0-9a-f]$/.test(String(clientid)));
      if (!session) return undefined;
      const { mqueue_max: queue = "", inflight_max: inflight = "" } = session;
      // EMQX writes 0 for a queue without end.
      return { mqtt: { max_mqueue_len: queue === 0 ? "infinity" : queue, max_inflight: inflight } };
    },
    // JSON is HOCON too. Merged: other zones stay.
    async write(wanted) {
      await api.ask(`${api5}/configs?mode=merge`, "PUT", JSON.stringify({ zones: { services: wanted } }));
    },
  };
}

function authenticator(api: AdminApi): Piece {
  const [path, id] = [`${api5}/authentication`, "password_based%3Ahttp"];
  return {
    root: "authentication[]",
    async read() {
      const all = ((await api.ask(path)) ?? []) as SettingTree[];
      return all.find(({ mechanism, backend }) => mechanism === "password_based" && backend === "http");
    },
    async write(wanted, found) {
      if (found) await api.ask(`${path}/${id}`, "PUT", wanted);
      else await api.ask(path, "POST", wanted);
    },
  };
}

function listener(api: AdminApi, id: string): Piece {
  const [type = "", name = ""] = id.split(":");
  const isTls = type === "ssl" || type === "wss";
  const path = `${api5}/listeners/${encodeURIComponent(id)}`;
  return {
    root: `listeners.${type}.${name}`,
    read: async () => (await api.ask(path)) as SettingTree | undefined,
    async write(wanted, found) {
      if (!found) return void (await api.ask(`${api5}/listeners`, "POST", { type, name, ...wanted }));
      const settings = Object.fromEntries(Object.entries(found).filter(([one]) => !told.includes(one)));
      // Ports and certificates are the place's own. With the key that everybody knows it is better closed.
      const { bind: _b, enable, ssl_options: _s, ...ours } = wanted;
      const isOn = isTls && !hasExampleCertificate(found) ? {} : { enable: enable ?? true };
      await api.ask(path, "PUT", { ...merge(settings, { ...ours, ...isOn }), id, type });
    },
  };
}

/** The certificate that comes with EMQX; its key is in every download. */
export function hasExampleCertificate(listener: SettingTree): boolean {
  const options = listener.ssl_options as SettingTree | undefined;
  return /(^|\/)etc\/certs\/(cert|key)\.pem$|\}\/certs\/(cert|key)\.pem$/.test(String(options?.certfile ?? ""));
}

/** One of a list, which is Parley's own: written as the file has it. */
function entry(
  api: AdminApi,
  { root, list, id, names }: { root: string; list: string; id: string; names: Record<string, string> },
): Piece {
  const path = `${api5}${list}/${encodeURIComponent(id)}`;
  return {
    root,
    read: async () => (await api.ask(path)) as SettingTree | undefined,
    async write(wanted, found) {
      if (found) await api.ask(path, "PUT", wanted);
      else await api.ask(`${api5}${list}`, "POST", { ...names, ...wanted });
    },
  };
}

/** What is wanted over what is there. Lists are replaced. */
function merge(found: SettingTree, wanted: SettingTree): SettingTree {
  const merged: SettingTree = { ...found };
  for (const [name, value] of Object.entries(wanted)) {
    const old = merged[name];
    merged[name] = isTree(value) && isTree(old) ? merge(old, value) : value;
  }
  return merged;
}

function isTree(value: unknown): value is SettingTree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
