// EMQX's HTTP authenticator, authorizer and event rule: bodies in, the answers that EMQX obeys out.
import {
  deviceTopic,
  deviceUplinkFilter,
  ephemeralTopic,
  messagesTopic,
  reservedClientId,
  uidOfClientId,
} from "@parley/protocol";
import type { Decisions } from "./decisions.ts";
import { flag, type HookBody, type HookReply, isRecord, number, reply, text } from "./reply.ts";

/** EMQX takes an error status for "ask the next one", so every no is a 200. */
export const emqxDeny: HookReply = reply({ result: "deny" });
const allow: HookReply = reply({ result: "allow" });
const heard: HookReply = reply({ result: "ok" });

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
  });
  if (!decision.allow) return emqxDeny;
  const { p, uid, expiresAt, service } = decision;
  // All three always, and as text: a missing `mp` becomes one tree for everybody, a number crashes the authenticator.
  const allowed = { result: "allow", is_superuser: service, client_attrs: { p, uid, mp: "" } };
  const rules = service ? {} : { acl: rulesOf(uid, clientId) };
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
  const uid = provenUid(body.uid);
  const who = { username: uid, clientId: text(body, "clientid") };
  const topic = text(body, "topic");
  const action = text(body, "action");
  if (action !== "publish" && action !== "subscribe") throw new TypeError("action is neither publish nor subscribe");
  if (uid === undefined) return emqxDeny;
  if (action === "subscribe") return decisions.subscribe(who, topic) ? allow : emqxDeny;
  return decisions.publish(who, { topic, retain: flag(body, "retain") }) === "allow" ? allow : emqxDeny;
}

/** Both events name the connection's own time: a disconnect of an older connection ends no newer session. */
function events(body: HookBody, decisions: Decisions): HookReply {
  const event = text(body, "event");
  const clientId = text(body, "clientid");
  const at = number(body, "connected_at");
  if (event !== "client.connected" && event !== "client.disconnected") throw new TypeError("event is not known");
  const uid = provenUid(isRecord(body.client_attrs) ? body.client_attrs.uid : undefined);
  if (uid === undefined || uid !== uidOfClientId(clientId) || reservedClientId.test(clientId)) return heard;
  decisions.session(event === "client.connected" ? "connected" : "gone", clientId, at);
  return heard;
}

/** An attribute that was never set is written as `undefined` or as nothing in a body made from a template. */
function provenUid(attribute: unknown): string | undefined {
  return typeof attribute === "string" && attribute !== "" && attribute !== "undefined" ? attribute : undefined;
}
