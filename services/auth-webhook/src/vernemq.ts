// VerneMQ's webhooks (and the edge's, which asks alike): bodies in, the answers that VerneMQ obeys out.
import { uidOfClientId } from "@parley/protocol";
import type { ConnectRefusal } from "./decide-connect.ts";
import type { Decisions } from "./decisions.ts";
import { flag, type HookBody, type HookReply, isRecord, number, reply, text } from "./reply.ts";

/** What VerneMQ takes for "no" in every hook; an HTTP error would be a no as well, but a noisy one. */
export const vernemqDeny: HookReply = reply({ result: { error: "not_allowed" } });
/** A no for now: the credentials were not judged. The edge tells the device that the server is unavailable. */
const denyForNow: HookReply = reply({ result: { error: "server_unavailable" } });
const denyBusy: HookReply = reply({ result: { error: "server_busy" } });
/** The credentials may be right: they were not looked at, since this address has guessed too often. */
const denyQuota: HookReply = reply({ result: { error: "quota_exceeded" } });
const denyRate: HookReply = reply({ result: { error: "connection_rate_exceeded" } });
/** The credentials may be right: with this client id they never let anybody in. */
const denyClientId: HookReply = reply({ result: { error: "client_identifier_not_valid" } });
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
/** The edge asks VerneMQ's questions and obeys all of each answer; VerneMQ does not, and has settings of its own. */
export type Asker = "edge" | "vernemq";
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
  // The edge's own: is the client id connected to another edge?
  is_connected: isConnected,
};

async function register(body: HookBody, decisions: Decisions, protocol: Version, asker: Asker): Promise<HookReply> {
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
  });
  if (!decision.allow && asker === "edge" && clientIdRefusals.includes(decision.reason)) return denyClientId;
  if (!decision.allow) return passingRefusals[decision.reason] ?? vernemqDeny;
  if (asker === "edge")
    return decision.expiresAt === undefined ? ok : reply({ result: "ok", expire_at: decision.expiresAt });
  if (decision.service) return reply({ result: "ok", modifiers: servicesQueues });
  if (decision.expiresAt === undefined) return ok;
  const seconds = Math.max(1, Math.floor(decision.expiresAt - Date.now() / 1000));
  return reply({ result: "ok", modifiers: { max_connection_lifetime: seconds } });
}

/** While a router is away its session keeps what was published to it: VerneMQ's own bound would drop the newest. */
const servicesQueues = { max_online_messages: -1, max_offline_messages: -1 };

function sessionExpiryOf(properties: unknown): number | undefined {
  const seconds = isRecord(properties) ? properties.p_session_expiry_interval : undefined;
  return typeof seconds === "number" ? seconds : undefined;
}

function publish(body: HookBody, decisions: Decisions): HookReply {
  const who = { username: text(body, "username", null), clientId: text(body, "client_id") };
  const decision = decisions.publish(who, { topic: text(body, "topic"), retain: flag(body, "retain") });
  if (decision === "deny") return vernemqDeny;
  const answer = decision === "allow" ? ok : okNotRetained;
  return mayBeKept(body.properties) ? { ...answer, maxAge: decisions.maxAge(who.clientId) } : answer;
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
  const who = { username: text(body, "username", null), clientId: text(body, "client_id") };
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
  const takesPart = version === 4 || asker === "edge";
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
function session(body: HookBody, decisions: Decisions, event: "connected" | "offline" | "gone" | "expired"): HookReply {
  const clientId = text(body, "client_id");
  const connection = text(body, "connection_id", null);
  if (uidOfClientId(clientId) !== undefined) decisions.session(event, clientId, Date.now(), connection);
  return ok;
}

async function isConnected(body: HookBody, decisions: Decisions): Promise<HookReply> {
  const connected = await decisions.isConnected(text(body, "client_id"), text(body, "connection_id", null));
  if (connected === undefined) return denyForNow;
  return connected ? denyConnected : ok;
}
