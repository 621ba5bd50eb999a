// VerneMQ's webhooks (and the edge's, which asks alike): bodies in, the answers that VerneMQ obeys out.
import { parseMountpoint, reservedClientId, type SessionEvent, treeUser } from "@parley/protocol";
import type { ConnectAttempt, ConnectRefusal } from "./connect-rules.ts";
import type { ConnectDecision } from "./decide-connect.ts";
import type { Identity } from "./decide-publish.ts";
import type { Decisions } from "./decisions.ts";
import { flag, type HookBody, type HookReply, isRecord, number, reply, text } from "./reply.ts";

/** What VerneMQ takes for "no" in every hook; an HTTP error would be a no as well, but a noisy one. */
export const vernemqDeny: HookReply = reply({ result: { error: "not_allowed" } });
/** A no for now: the credentials were not judged. The edge tells the device that the server is unavailable. */
const denyForNow: HookReply = reply({ result: { error: "server_unavailable" } });
/** It was not taken: the edge tells it again. */
const again: HookReply = { ...denyForNow, status: 503 };
const denyBusy: HookReply = reply({ result: { error: "server_busy" } });
/** The credentials may be right: they were not looked at, since this address has guessed too often. */
const denyQuota: HookReply = reply({ result: { error: "quota_exceeded" } });
const denyRate: HookReply = reply({ result: { error: "connection_rate_exceeded" } });
/** The credentials may be right: with this client id they never let anybody in. */
const denyClientId: HookReply = reply({ result: { error: "client_identifier_not_valid" } });
/** So are they: what the device speaks is not spoken in this version of MQTT. */
const denyProtocol: HookReply = reply({ result: { error: "unsupported_protocol_version" } });
const denyConnected: HookReply = reply({ result: { error: "connected" } });
const ok: HookReply = reply({ result: "ok" });
const okNotRetained: HookReply = reply({ result: "ok", modifiers: { retain: false } });

/** Refusals that say nothing of the credentials. All others are final: the same CONNECT will never be let in. */
const passingRefusals: Partial<Record<ConnectRefusal, HookReply>> = {
  unavailable: denyForNow,
  issuer_unavailable: denyForNow,
  not_ready: denyForNow,
  busy: denyBusy,
  rate_limited: denyRate,
  too_many_failures: denyQuota,
};

/** The edge tells its device that it is the client id that is wrong; VerneMQ knows no such word. */
const clientIdRefusals: readonly ConnectRefusal[] = ["client_id", "other_client_id", "owned_by_another"];

/** SUBACK codes that refuse one topic of many. */
const refusedQos = { 4: 128, 5: 135 } as const;

type Version = 4 | 5;
/**
 * The edge asks VerneMQ's questions and obeys all of each answer; VerneMQ does not, and has settings of its own. An early edge asks over
 * HTTP, also about its devices' own topics.
 */
export type Asker = "edge" | "early edge" | "vernemq";
type HookHandler = (body: HookBody, decisions: Decisions, asker: Asker) => HookReply | Promise<HookReply>;

/** By the `vernemq-hook` header. */
export const vernemqHooks: Readonly<Record<string, HookHandler>> = {
  auth_on_register: (body, decisions, asker) => register(body, decisions, 4, asker),
  auth_on_register_m5: (body, decisions, asker) => register(body, decisions, 5, asker),
  auth_on_publish: publish,
  auth_on_publish_m5: publish,
  auth_on_subscribe: (body, decisions, asker) => subscribe(body, decisions, 4, asker),
  auth_on_subscribe_m5: (body, decisions, asker) => subscribe(body, decisions, 5, asker),
  on_register: () => ok,
  on_register_m5: () => ok,
  on_client_wakeup: (body, decisions) => session(body, decisions, "connected"),
  on_client_offline: (body, decisions) => session(body, decisions, "offline"),
  on_client_gone: (body, decisions) => session(body, decisions, "gone"),
  on_session_expired: (body, decisions) => session(body, decisions, "expired"),
  on_subscribe: (body, decisions) => filters(body, decisions, "added"),
  on_subscribe_m5: (body, decisions) => filters(body, decisions, "added"),
  on_unsubscribe: (body, decisions) => filters(body, decisions, "removed"),
  on_unsubscribe_m5: (body, decisions) => filters(body, decisions, "removed"),
  // The edge's own: is the client id connected to another edge?
  is_connected: isConnected,
};

async function register(body: HookBody, decisions: Decisions, protocol: Version, asker: Asker): Promise<HookReply> {
  const isEdge = asker !== "vernemq";
  const decision = await decisions.connect({
    clientId: text(body, "client_id"),
    username: text(body, "username", null),
    password: text(body, "password", null),
    address: text(body, "peer_addr", null) ?? "",
    protocol,
    // Ours, as `expire_at` is: the edge names its connections.
    connection: text(body, "connection_id", null),
    // The edge shortens what is too long.
    sessionExpirySeconds: asker === "vernemq" ? sessionExpiryOf(body.properties) : undefined,
    // VerneMQ takes no publish to `$…`, and no topic as deep as one in a tree.
    hasTrees: isEdge,
    judgesOwnTopics: asker === "edge",
    ...sessionOf(body, protocol),
    assigned: body.assigned === true,
  });
  if (!decision.allow && isEdge && clientIdRefusals.includes(decision.reason)) return denyClientId;
  if (!decision.allow && isEdge && decision.reason === "protocol") return denyProtocol;
  if (!decision.allow) return passingRefusals[decision.reason] ?? vernemqDeny;
  if (isEdge) return admit(decision);
  if (decision.service) return reply({ result: "ok", modifiers: servicesQueues });
  if (decision.expiresAt === undefined) return ok;
  const seconds = Math.max(1, Math.floor(decision.expiresAt - Date.now() / 1000));
  return reply({ result: "ok", modifiers: { max_connection_lifetime: seconds } });
}

/**
 * Beside `result` what is ours: until when, that the device has its own topics and nobody need be asked about them, and of a tree whether
 * `#` is subscribed for it, is it ephemeral, what it had subscribed.
 */
function admit({ expiresAt, tree, uid, service }: Extract<ConnectDecision, { allow: true }>): HookReply {
  if (service) return ok;
  const until = expiresAt === undefined ? {} : { expire_at: expiresAt };
  if (!tree) return reply({ result: "ok", ...until, own_topics: true });
  const { mountpoint, subscribesAll, isEphemeral, filters } = tree;
  return reply({
    result: "ok",
    modifiers: { mountpoint, username: uid },
    ...until,
    ...(subscribesAll ? { subscribe_all: true } : {}),
    ...(isEphemeral ? { ephemeral: true } : {}),
    ...(filters ? { filters } : {}),
  });
}

/** What the CONNECT asked of its session. */
function sessionOf(body: HookBody, protocol: Version): Pick<ConnectAttempt, "persistent" | "clean"> {
  if (protocol === 4) return { clean: body.clean_session !== false, persistent: body.clean_session === false };
  return { clean: body.clean_start !== false, persistent: (sessionExpiryOf(body.properties) ?? 0) > 0 };
}

/** While a router is away its session keeps what was published to it: VerneMQ's own bound would drop the newest. */
const servicesQueues = { max_online_messages: -1, max_offline_messages: -1 };

function sessionExpiryOf(properties: unknown): number | undefined {
  const seconds = isRecord(properties) ? properties.p_session_expiry_interval : undefined;
  return typeof seconds === "number" ? seconds : undefined;
}

function publish(body: HookBody, decisions: Decisions): HookReply {
  const who = identityOf(body);
  const decision = decisions.publish(who, { topic: text(body, "topic"), retain: flag(body, "retain") });
  if (decision === "deny") return vernemqDeny;
  const answer = decision === "allow" ? ok : okNotRetained;
  return mayBeKept(body.properties) ? { ...answer, maxAge: decisions.maxAge(who.clientId) } : answer;
}

function identityOf(body: HookBody): Identity {
  const [username, mountpoint] = [text(body, "username", null), text(body, "mountpoint", null)];
  return { username, clientId: text(body, "client_id"), mountpoint };
}

/**
 * VerneMQ keeps an answer under all of the request but its payload and never forgets it by itself: what a client can vary
 * at will (correlation data, user properties) would fill the broker's memory.
 */
function mayBeKept(properties: unknown): boolean {
  if (!isRecord(properties)) return true;
  return Object.entries(properties).every(
    ([name, value]) =>
      name === "p_payload_format_indicator" || (name === "p_content_type" && value === "application/json"),
  );
}

function subscribe(body: HookBody, decisions: Decisions, version: Version, asker: Asker): HookReply {
  const who = identityOf(body);
  const asked = body.topics;
  if (!Array.isArray(asked) || asked.length === 0) throw new TypeError("topics is not a list");
  let refusals = 0;
  const topics = asked.map((one: unknown) => {
    if (!isRecord(one)) throw new TypeError("a topic is not an object");
    number(one, "qos");
    if (decisions.subscribe(who, text(one, "topic"))) return one;
    refusals += 1;
    return { topic: one.topic, qos: refusedQos[version] };
  });
  // VerneMQ's version 5 tells the client which topic is refused, and does something else with it: there it is all or none.
  const takesPart = version === 4 || asker !== "vernemq";
  if (refusals === topics.length || (refusals > 0 && !takesPart)) return vernemqDeny;
  if (refusals > 0) return reply(version === 5 ? { result: "ok", modifiers: { topics } } : { result: "ok", topics });
  return oneOfFew(asked, body.properties) ? { ...ok, maxAge: decisions.maxAge(who.clientId) } : ok;
}

/** A device has three topics, so an honest SUBSCRIBE is one of few; see mayBeKept. */
function oneOfFew(topics: HookBody[], properties: unknown): boolean {
  if (isRecord(properties) && Object.keys(properties).length > 0) return false;
  const plain = topics.every(({ no_local: noLocal, rap, retain_handling: handling }) => {
    return noLocal !== true && rap !== true && (handling === undefined || handling === "send_retain");
  });
  return plain && topics.length <= 3 && new Set(topics.map(({ topic }) => topic)).size === topics.length;
}

/** These bodies carry no time, so it is the time of arrival; VerneMQ and the edge tell a client's events in order. */
async function session(body: HookBody, decisions: Decisions, event: SessionEvent["event"]): Promise<HookReply> {
  const clientId = text(body, "client_id");
  const connection = text(body, "connection_id", null);
  const { session_present: present } = body;
  const tree = parseMountpoint(text(body, "mountpoint", null) ?? "");
  const told: SessionEvent = { event, clientId, at: Date.now() };
  if (connection !== undefined) told.connection = connection;
  if (tree) told.user = treeUser(tree);
  // Ours: without it a mountpoint that is missing says nothing, as a session that is over has none.
  if (tree || body.own_topics === true) told.tree = tree !== undefined;
  if (typeof present === "boolean") told.present = present;
  if (reservedClientId.test(clientId)) return ok;
  if (tree) return (await decisions.treeSession(told)) ? ok : again;
  decisions.session(told);
  return ok;
}

/** Answered when presence has it: it is told again until then. */
async function filters(body: HookBody, decisions: Decisions, change: "added" | "removed"): Promise<HookReply> {
  const clientId = text(body, "client_id");
  const connection = text(body, "connection_id", null);
  const { topics } = body;
  if (!Array.isArray(topics)) throw new TypeError("topics is not a list");
  if (reservedClientId.test(clientId)) return ok;
  const told = topics.flatMap((one: unknown) => {
    if (typeof one === "string") return [one];
    if (!isRecord(one)) throw new TypeError("a topic is not an object");
    return typeof one.qos === "number" && one.qos > 2 ? [] : [text(one, "topic")];
  });
  if (told.length === 0) return ok;
  const named = { clientId, ...(connection === undefined ? {} : { connection }) };
  const isKept = await decisions.filters({ ...named, added: [], removed: [], [change]: told });
  return isKept ? ok : again;
}

async function isConnected(body: HookBody, decisions: Decisions): Promise<HookReply> {
  const connected = await decisions.isConnected(text(body, "client_id"), text(body, "connection_id", null));
  if (connected === undefined) return denyForNow;
  return connected ? denyConnected : ok;
}
