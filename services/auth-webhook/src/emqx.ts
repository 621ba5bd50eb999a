// EMQX's HTTP authenticator, authorizer and event rule: bodies in, the answers that EMQX obeys out.
import {
  deviceTopic,
  deviceUplinkFilter,
  ephemeralTopic,
  messagesTopic,
  parseMountpoint,
  reservedClientId,
  type SessionEvent,
  treeUser,
  uidOfClientId,
  unmountedFilter,
} from "@parley/protocol";
import type { Decisions } from "./decisions.ts";
import { flag, type HookBody, type HookReply, isRecord, number, reply, text } from "./reply.ts";

/** EMQX takes an error status for "ask the next one", so every no is a 200. */
export const emqxDeny: HookReply = reply({ result: "deny" });
const allow: HookReply = reply({ result: "allow" });
const heard: HookReply = reply({ result: "ok" });
/** Presence did not take it: with 503 EMQX tells it again. */
const again: HookReply = { ...heard, status: 503 };

type HookHandler = (body: HookBody, decisions: Decisions) => HookReply | Promise<HookReply>;

/** By the path behind `/emqx/`. */
export const emqxHooks: Readonly<Record<string, HookHandler>> = { authn, authz, events };

/** `acl` is what the device may do: EMQX obeys it by itself, so that nobody is asked again while it is connected. */
async function authn(body: HookBody, decisions: Decisions): Promise<HookReply> {
  const clientId = text(body, "clientid");
  const decision = await decisions.connect({
    clientId,
    username: text(body, "username", null),
    password: text(body, "password", null),
    address: text(body, "peerhost", null) ?? "",
    protocol: undefined,
    hasTrees: true,
  });
  if (!decision.allow) return emqxDeny;
  const { p, uid, expiresAt, service, tree } = decision;
  // All three always, and as text: a missing `mp` becomes one tree for everybody, a number crashes the authenticator.
  const attributes = { p, uid, mp: tree?.mountpoint ?? "" };
  // Of a tree everything is allowed, as EMQX puts its mountpoint before all of it; no rule matches every topic that begins with `$`.
  const isFree = service || tree !== undefined;
  const allowed = { result: "allow", is_superuser: isFree, client_attrs: attributes };
  const rules = isFree ? {} : { acl: rulesOf(uid, clientId) };
  return reply({ ...allowed, ...rules, ...(expiresAt === undefined ? {} : { expire_at: expiresAt }) });
}

/**
 * What `authz` decides, as rules: the first that matches holds. Any `p` and verb will do: the router names the right `p`,
 * and what is none reaches nobody.
 */
function rulesOf(uid: string, clientId: string): object[] {
  const own = { permission: "allow", action: "publish", retain: false };
  const inboxes = [messagesTopic(uid), ephemeralTopic(uid), deviceTopic(uid, clientId)];
  return [
    { ...own, topic: deviceUplinkFilter(uid, clientId) },
    ...inboxes.map((topic) => ({ permission: "allow", action: "subscribe", topic })),
    { permission: "deny", action: "all", topic: "#" },
  ];
}

/**
 * The alternative to `acl`: a question a packet. EMQX cannot strip retain, so a retained publish is denied. Who asks is what
 * authentication set, and nothing a client says of itself: EMQX takes connections before authentication is loaded.
 */
function authz(body: HookBody, decisions: Decisions): HookReply {
  const uid = provenAttribute(body.uid);
  const who = { username: uid, clientId: text(body, "clientid"), mountpoint: provenAttribute(body.mp) };
  const topic = text(body, "topic");
  const action = text(body, "action");
  if (action !== "publish" && action !== "subscribe") throw new TypeError("action is neither publish nor subscribe");
  if (uid === undefined) return emqxDeny;
  if (action === "subscribe") return decisions.subscribe(who, topic) ? allow : emqxDeny;
  return decisions.publish(who, { topic, retain: flag(body, "retain") }) === "allow" ? allow : emqxDeny;
}

/** Events of a session name the connection's own time: a disconnect of an older connection ends no newer session. */
async function events(body: HookBody, decisions: Decisions): Promise<HookReply> {
  const event = text(body, "event");
  const clientId = text(body, "clientid");
  const attributes = isRecord(body.client_attrs) ? body.client_attrs : {};
  const [user, mountpoint] = [provenAttribute(attributes.uid), provenAttribute(attributes.mp)];
  const tree = mountpoint === undefined ? undefined : parseMountpoint(mountpoint);
  const owner = tree ? treeUser(tree) : uidOfClientId(clientId);
  const isTheirs = user !== undefined && user === owner && !reservedClientId.test(clientId);
  if (event === "session.subscribed" || event === "session.unsubscribed")
    return isTheirs && mountpoint ? filters(body, decisions, mountpoint) : heard;
  const at = number(body, "connected_at");
  if (event !== "client.connected" && event !== "client.disconnected") throw new TypeError("event is not known");
  // Authentication is not told whether a session is to be kept.
  const kept = tree?.owner === "user" ? { persistent: Number(body.expiry_interval) > 0 } : {};
  if (!isTheirs) return heard;
  const isMisplaced = tree && typeof body.mountpoint === "string" && body.mountpoint !== mountpoint;
  const told: SessionEvent =
    event === "client.disconnected"
      ? { event: "gone", clientId, at, user }
      : { event: isMisplaced ? "misplaced" : "connected", clientId, at, user, ...kept };
  if (tree) return (await decisions.treeSession(told)) ? heard : again;
  decisions.session(told);
  return heard;
}

/** One filter, as the broker has it: answered when presence has it. */
async function filters(body: HookBody, decisions: Decisions, mountpoint: string): Promise<HookReply> {
  const topic = text(body, "topic");
  const filter = [unmountedFilter(mountpoint, topic)];
  const [added, removed] = body.event === "session.subscribed" ? [filter, []] : [[], filter];
  const isKept = await decisions.filters({ clientId: text(body, "clientid"), added, removed });
  return isKept ? heard : again;
}

/** An attribute that was never set is written as `undefined` or as nothing in a body made from a template. */
function provenAttribute(attribute: unknown): string | undefined {
  return typeof attribute === "string" && attribute !== "" && attribute !== "undefined" ? attribute : undefined;
}
