// Channel Cmd, as a device writes it.
import { AppError } from "../../errors.ts";
import type { MemberMode } from "../../rooms.ts";
import type { Published } from "../dialect.ts";
import type { Device } from "./device.ts";
import { digest24 } from "./digest.ts";
import type { Fields } from "./fields.ts";
import { channelIdWords, type Endpoint, isChannelId, readEndpoint } from "./names.ts";

export interface Command {
  verb: "create" | "delete" | "add" | "remove";
  chid: string;
  /** uid → what it may; undefined: nothing is said */
  users: ReadonlyMap<string, MemberMode | undefined>;
  /** those of them that only clients are named of */
  clients: Clients;
  /** channel id → the same of a channel as endpoint */
  channels: ReadonlyMap<string, MemberMode | undefined>;
  maxWriteSpeed: number | undefined;
  /** of create: what it is called, where that is not its id */
  name?: string;
  /** it may have come before */
  dup: boolean;
  /** It is acknowledged before it is done. */
  isLarge: boolean;
}

/** uid → client ids */
type Clients = ReadonlyMap<string, string[]>;

/** More endpoints are added or removed in the background. */
const largeFrom = 101;
const maxWriteSpeedMax = 1_000;

/** Throws the refusal. */
export function readCommand(
  verb: Command["verb"],
  packet: Published,
  fields: Fields,
  { uid, clientId }: Device["tree"],
): Command {
  const repeated = fields.repeated(["CHID", "Mode", "MaxWriteSpeed"]);
  if (repeated) throw repeated;
  const endpoints = fields.all("EP").map(endpointOf);
  const itself = fields.one("CHID");
  if (endpoints.some((one) => one.kind === "channel" && one.chid === itself))
    throw new AppError("invalid_packet", `${itself} cannot be an endpoint of itself`);
  const common = modeOf(fields.one("Mode"));
  const users = new Map<string, MemberMode | undefined>();
  const channels = new Map<string, MemberMode | undefined>();
  for (const one of endpoints)
    if (one.kind === "channel") channels.set(one.chid, one.mode ?? common);
    else users.set(one.uid, one.mode ?? common);
  const clients = clientsOf(endpoints);
  const count = users.size + channels.size;
  const maxWriteSpeed = speedOf(fields.one("MaxWriteSpeed"));
  const chid = itself ?? (verb === "create" ? madeId(packet, clientId, endpoints) : "");
  if (!isChannelId(chid)) throw new AppError("invalid_packet", `CHID is ${channelIdWords}`);
  if (verb === "create" && countEndpoints(uid, users, clients) + channels.size < 2)
    throw new AppError("invalid_packet", "a channel has two endpoints at least: EP names them, its maker is one");
  if (verb === "remove" && count === 0) throw new AppError("invalid_packet", "EP names nobody");
  if (verb === "add" && count === 0 && maxWriteSpeed === undefined)
    throw new AppError("invalid_packet", "EP names nobody");
  // An id that is made of the packet is this packet's: a channel that is there was made by it when it came before.
  const dup = packet.dup || (verb === "create" && itself === undefined);
  return { verb, chid, users, clients, channels, maxWriteSpeed, dup, isLarge: count >= largeFrom };
}

function endpointOf(text: string): Endpoint {
  const endpoint = readEndpoint(text);
  if (endpoint) return endpoint;
  throw new AppError(
    "invalid_packet",
    `EP ${text.slice(0, 80)} is none of user/{uid}, user/{uid}/client/{clientId} and $…, with ;read, ;write or nothing behind`,
  );
}

// A user that is named is there with all its clients.
function clientsOf(endpoints: readonly Endpoint[]): Clients {
  const clients = new Map<string, string[]>();
  const whole = new Set(endpoints.map((one) => (one.kind === "user" ? one.uid : "")));
  for (const one of endpoints) {
    if (one.kind !== "client" || whole.has(one.uid)) continue;
    const known = clients.get(one.uid) ?? [];
    clients.set(one.uid, [...new Set([...known, one.clientId])]);
  }
  return clients;
}

// Its maker is one of them, with all clients.
function countEndpoints(maker: string, users: Command["users"], clients: Clients): number {
  const others = [...users.keys()].filter((uid) => uid !== maker);
  return others.reduce((sum, uid) => sum + (clients.get(uid)?.length ?? 1), 1);
}

function modeOf(text: string | undefined): MemberMode | undefined {
  if (text === undefined || text === "read" || text === "write" || text === "read-write") return text;
  throw new AppError("invalid_packet", "Mode is read, write or read-write");
}

function speedOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const speed = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (speed >= 1 && speed <= maxWriteSpeedMax) return speed;
  throw new AppError(
    "invalid_packet",
    `MaxWriteSpeed is a whole number of messages a second, 1 to ${maxWriteSpeedMax}`,
  );
}

/** Of a channel that its maker does not name: the same for the same packet, so that it is made once. */
function madeId({ properties }: Published, clientId: string, endpoints: readonly Endpoint[]): string {
  const correlation = new TextDecoder().decode(properties.correlationData);
  const named = new Set(endpoints.map(({ mode: _, ...one }) => Object.values(one).join(" ")));
  return `$c-${digest24(JSON.stringify([clientId, correlation, [...named].sort()]))}`;
}
