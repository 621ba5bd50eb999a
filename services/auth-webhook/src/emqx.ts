// EMQX's HTTP authenticator, authorizer and event rule: bodies in, the answers that EMQX obeys out.
import { reservedClientId, uidOfClientId } from "@parley/protocol";
import type { Decisions } from "./decisions.ts";
import { flag, type HookBody, type HookReply, number, reply, text } from "./reply.ts";

/** EMQX takes an error status for "ask the next one", so every no is a 200. */
export const emqxDeny: HookReply = reply({ result: "deny" });
const allow: HookReply = reply({ result: "allow" });
const heard: HookReply = reply({ result: "ok" });

type HookHandler = (body: HookBody, decisions: Decisions) => HookReply | Promise<HookReply>;

/** By the path behind `/emqx/`. */
export const emqxHooks: Readonly<Record<string, HookHandler>> = { authn, authz, events };

async function authn(body: HookBody, decisions: Decisions): Promise<HookReply> {
  const decision = await decisions.connect({
    clientId: text(body, "clientid"),
    username: text(body, "username", null),
    password: text(body, "password", null),
    address: text(body, "peerhost", null) ?? "",
    protocol: undefined,
  });
  if (!decision.allow) return emqxDeny;
  const { p, uid, expiresAt } = decision;
  // All three always, and as text: a missing `mp` becomes one tree for everybody, a number crashes the authenticator.
  const allowed = { result: "allow", is_superuser: false, client_attrs: { p, uid, mp: "" } };
  return reply(expiresAt === undefined ? allowed : { ...allowed, expire_at: expiresAt });
}

/** EMQX cannot strip retain, so a retained publish is denied. */
function authz(body: HookBody, decisions: Decisions): HookReply {
  const who = { username: text(body, "username", null), clientId: text(body, "clientid") };
  const topic = text(body, "topic");
  const action = text(body, "action");
  if (action === "subscribe") return decisions.subscribe(who, topic) ? allow : emqxDeny;
  if (action !== "publish") throw new TypeError("action is neither publish nor subscribe");
  return decisions.publish(who, { topic, retain: flag(body, "retain") }) === "allow" ? allow : emqxDeny;
}

/** Both events name the connection's own time: a disconnect of an older connection ends no newer session. */
function events(body: HookBody, decisions: Decisions): HookReply {
  const event = text(body, "event");
  const clientId = text(body, "clientid");
  const at = number(body, "connected_at");
  if (event !== "client.connected" && event !== "client.disconnected") throw new TypeError("event is not known");
  if (reservedClientId.test(clientId) || uidOfClientId(clientId) === undefined) return heard;
  decisions.session(event === "client.connected" ? "connected" : "gone", clientId, at);
  return heard;
}
