// Puts the edge together: doors, hooks, decisions, sessions, admin. No state that matters, no policy.
// Folders import one way: doors → session → connect → tree → uplink → broker, hooks → packets.
// `tree` stands before uplink: devices with a tree of their own have their topics put there, and taken out on their way back.
import { counter, gauge, type Logger, openTurns, readNetworks, type ServiceContext, type Turns } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { type Broker, endSession, readBroker } from "./broker/broker.ts";
import { watchBrokerMemory } from "./broker/memory.ts";
import { startProbe } from "./broker/probe.ts";
import { openRecordWriter } from "./broker/record-writer.ts";
import { openLearning, openRecords, type Records, readRecords } from "./broker/records.ts";
import type { EdgeConfig } from "./config.ts";
import type { DirectPeople, DirectTarget } from "./direct/hand-out.ts";
import { type DirectDoor, openDirectDoor } from "./direct/serve.ts";
import { type DirectTurns, startDirectTurns } from "./direct/turns.ts";
import { startAdmin } from "./doors/admin.ts";
import { type Door, type DoorOptions, openTcp, openWebSocket } from "./doors/listen.ts";
import { openPlaces, type Places } from "./doors/places.ts";
import { startDecisions } from "./hooks/decisions.ts";
import { type Hooks, hookSockets, startHooks } from "./hooks/hooks.ts";
import { findRoom, type Room, readOpenFilesLimit } from "./open-files.ts";
import { type Reason, reasons } from "./packets/reasons.ts";
import { Connection } from "./session/connection.ts";
import type { Member } from "./session/member.ts";
import { type Sessions, startSessions } from "./session/sessions.ts";
import type { Device, Surroundings } from "./session/surroundings.ts";
import { openWriteDown } from "./session/write-down.ts";

/** Often, so that many sockets that came together are not closed in one breath. */
const placesSweepMs = 100;

export interface Edge {
  /** where it listens, also when the settings said "any" */
  ports: { mqtt: number; ws: number; admin: number };
  close(): Promise<void>;
}

export async function startEdge(config: EdgeConfig, context: ServiceContext): Promise<Edge> {
  const { log } = context;
  const { servicesSecret, hookSecret } = context.secrets();
  const connections = new Set<Connection>();
  const urls = config.EDGE_HOOKS_URL.split(",");
  const room = findRoom(config.EDGE_MAX_CONNECTIONS, readOpenFilesLimit(), hookSockets(urls), log);
  const turns = openTurns({
    atOnce: config.EDGE_CONNECTS_AT_ONCE,
    // An address whose logins take seconds leaves room for others.
    atOnceEach: Math.ceil((3 * config.EDGE_CONNECTS_AT_ONCE) / 4),
    waitingMax: config.EDGE_CONNECTS_WAITING,
    waitMs: config.EDGE_CONNECT_WAIT_MS,
  });
  const measures = startMeasures(context, connections, turns);
  const broker = readBroker(config.PARLEY_BROKER_URL, servicesSecret, config.EDGE_BROKER_TIMEOUT_MS);
  const hooks = startHooks({
    urls,
    secret: hookSecret,
    timeoutMs: config.EDGE_HOOK_TIMEOUT_MS,
    log,
    onAnswer: (hook, { verdict }) => measures.hooks.inc({ hook, verdict }),
  });
  const { records, writeDown, sessions, learning } = keepSessions({ config, context, broker, hooks });
  const path = config.PARLEY_DIRECT_SOCKET;
  const direct = path === "" ? undefined : { ...startDirectTurns(), writeDown };
  const known = { config, context, broker, hooks, sessions, connections };
  const surroundings = surround({ ...known, turns, direct, room, measures });
  const places = openPlaces({
    most: room.devices + room.refused,
    silentMost: config.EDGE_SILENT_CONNECTIONS,
    silentMs: config.EDGE_CONNECT_TIMEOUT_MS,
    onClose: (reason) => measures.closed.inc({ reason }),
  });
  gauge(context.metrics, "edge_silent_connections", "connections that have not said CONNECT", places.silent);
  const onDevice = (device: Device): void => void connections.add(new Connection(device, surroundings));
  const directDoor = direct && (await openDirect(path, { sessions, knowsAll: learning.isDone, direct, log }));
  const doors = await openDoors(config, { onDevice, places }, { secret: servicesSecret, sessions, log });
  const probe = watchBroker({ ...known, records, learning });
  const sweeping = startSweeping(connections, sessions, places);
  const ports = { mqtt: doors[0]!.port, ws: doors[1]!.port, admin: doors[2]!.port };
  for (const [what, port] of Object.entries(ports)) log.info({ event: "listening", what, port });
  return {
    ports,
    close: async () => {
      sweeping.stop();
      probe.close();
      const closed = Promise.all(doors.map((door) => door.close()));
      for (const connection of connections) connection.close(reasons.shuttingDown);
      direct?.close();
      await sessions.settled();
      // By then routers have been told what no device has confirmed.
      await directDoor?.close();
      hooks.close();
      await closed;
    },
  };
}

/** Sessions, and what is written down of them at the broker. */
function keepSessions(parts: { config: EdgeConfig; context: ServiceContext; broker: Broker; hooks: Hooks }) {
  const { config, context, broker, hooks } = parts;
  const visitor = `sys_${context.instance}`;
  const records = openRecords();
  const writeDown = openWriteDown(records, openRecordWriter(broker, `${visitor}_writes`, records));
  const sessions = startSessions({
    hooks,
    records,
    writeDown,
    endSession: (clientId) => endSession(broker, clientId),
    awayMax: config.EDGE_USER_SESSIONS_AWAY,
    tellWaitMs: config.EDGE_DECISION_WAIT_MS,
    log: context.log,
  });
  const learning = openLearning(() => readRecords(broker, `${visitor}_sessions`, { records, onPage: sessions.learn }));
  return { records, writeDown, sessions, learning };
}

/** Looks once a second how the broker is, tells it which sessions there are, and learns those that it does not know. */
function watchBroker(parts: {
  config: EdgeConfig;
  context: ServiceContext;
  broker: Broker;
  hooks: Hooks;
  sessions: Sessions;
  connections: Set<Connection>;
  records: Records;
  learning: ReturnType<typeof openLearning>;
}): { close(): void } {
  const { config, context, broker, hooks, sessions, connections, records, learning } = parts;
  const clientId = `sys_${context.instance}`;
  const memory = watchBrokerMemory({
    limitBytes: config.EDGE_BROKER_MEMORY_BYTES,
    endLongestAway: sessions.endLongestAway,
    closeUnread: () => [...connections].filter((connection) => connection.closeUnread()).length,
    holders: () => connections,
    learn: learning.again,
    context,
  });
  return startProbe({
    health: context.health,
    broker,
    hooks,
    clientId,
    addresses: { broker: config.PARLEY_BROKER_URL, hooks: config.EDGE_HOOKS_URL },
    records,
    onState: ({ heapBytes }) => {
      learning.first();
      memory.heard(heapBytes);
    },
    log: context.log,
  });
}

function surround(parts: {
  config: EdgeConfig;
  context: ServiceContext;
  broker: Broker;
  hooks: Hooks;
  sessions: Sessions;
  turns: Turns;
  direct: Surroundings["direct"];
  connections: Set<Connection>;
  room: Room;
  measures: Measures;
}): Surroundings {
  const { config, context, broker, hooks, sessions, turns, direct, connections, room, measures } = parts;
  /** devices let in that far, until their sockets are closed */
  let admitted = 0;
  const decisions = startDecisions({
    hooks,
    maxEntries: config.EDGE_DECISION_CACHE_ENTRIES,
    waitMs: config.EDGE_DECISION_WAIT_MS,
    onReuse: () => measures.reused.inc(),
    onForeign: sayForeign(context.log),
  });
  return {
    rules: { hooks, decisions, broker, maxSessionExpirySeconds: config.EDGE_SESSION_EXPIRY_SECONDS },
    sessions,
    turns,
    direct,
    maxPacketBytes: config.EDGE_MAX_PACKET_BYTES,
    uplinkLimits: {
      packets: config.EDGE_RATE_PACKETS,
      packetsBurst: 2 * config.EDGE_RATE_PACKETS,
      bytes: config.EDGE_RATE_BYTES,
      bytesBurst: 4 * config.EDGE_RATE_BYTES,
    },
    unreadMs: config.EDGE_UNREAD_MS,
    connectWaitMs: config.EDGE_CONNECT_WAIT_MS,
    log: context.log,
    admit() {
      if (admitted >= room.devices) return false;
      admitted += 1;
      return true;
    },
    release() {
      admitted -= 1;
    },
    onClose: (connection, reason: Reason | undefined) => {
      connections.delete(connection as Connection);
      if (reason !== undefined) measures.closed.inc({ reason: reason.name });
    },
  };
}

/** A client that asks for the same wrong thing again and again is one line a minute. */
function sayForeign(log: Logger): (hook: "publish" | "subscribe", clientId: string) => void {
  const said = new LRUCache<string, true>({ max: 10_000, ttl: 60_000 });
  return (hook, clientId) => {
    const key = `${hook} ${clientId}`;
    if (said.has(key)) return;
    said.set(key, true);
    log.info({ event: "refused", hook, clientId, reason: "topic" });
  };
}

/** TCP, WebSocket, admin; all of them or none. */
async function openDoors(
  config: EdgeConfig,
  guests: Pick<DoorOptions, "onDevice" | "places">,
  admin: { secret: string; sessions: Sessions; log: Logger },
): Promise<Door[]> {
  const trusted = readNetworks(config.TRUSTED_PROXIES);
  const every = { ...guests, host: config.EDGE_HOST, trusted };
  const proxyHeaders = config.EDGE_PROXY_PROTOCOL;
  const doors: Door[] = [];
  try {
    doors.push(await openTcp({ ...every, port: config.EDGE_MQTT_PORT, setting: "EDGE_MQTT_PORT", proxyHeaders }));
    doors.push(await openWebSocket({ ...every, port: config.EDGE_WS_PORT, setting: "EDGE_WS_PORT" }));
    doors.push(await startAdmin({ host: config.EDGE_ADMIN_HOST, port: config.EDGE_ADMIN_PORT, ...admin }));
    return doors;
  } catch (error) {
    await Promise.all(doors.map((door) => door.close()));
    throw error;
  }
}

/** Copies of routers, to devices of which all is known here. */
function openDirect(
  path: string,
  parts: { sessions: Sessions; knowsAll(): boolean; direct: DirectTurns; log: Logger },
): Promise<DirectDoor> {
  const { sessions, knowsAll, direct, log } = parts;
  const people: DirectPeople = {
    devicesOf(uid) {
      const own = knowsAll() ? sessions.own.allOf(uid) : undefined;
      return own && sidesOf(own);
    },
    connectionsOf: (uid) => sidesOf(sessions.own.connectionsOf(uid)),
    device(clientId) {
      if (!knowsAll() || sessions.own.isWatched()) return undefined;
      const found = sessions.only(clientId) as Connection | undefined;
      return found?.hasTree ? undefined : found?.direct;
    },
    hasOthers: sessions.own.hasOthers,
  };
  return openDirectDoor({ path, people, together: direct.together, log });
}

function* sidesOf(members: Iterable<Member>): Iterable<DirectTarget> {
  for (const member of members) yield (member as Connection).direct;
}

function startSweeping(connections: Set<Connection>, sessions: Sessions, places: Places): { stop(): void } {
  const timers = [
    setInterval(() => {
      const now = performance.now();
      for (const connection of connections) connection.sweep(now);
      sessions.sweep(now);
    }, 1000),
    setInterval(() => places.sweep(performance.now()), placesSweepMs),
  ];
  return {
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

type Measures = ReturnType<typeof startMeasures>;

function startMeasures({ metrics }: ServiceContext, connections: Set<Connection>, turns: Turns) {
  gauge(metrics, "edge_connects_waiting", "CONNECTs that wait for their turn", () => turns.waiting());
  gauge(metrics, "edge_connections", "devices connected", () => connections.size);
  return {
    hooks: counter(metrics, "edge_hook_questions_total", "hooks asked, by verdict", ["hook", "verdict"]),
    reused: counter(metrics, "edge_hook_answers_reused_total", "answers taken from memory"),
    closed: counter(metrics, "edge_connections_closed_total", "connections the edge ended, by reason", ["reason"]),
  };
}
