// Decides CONNECT: each step may end it with a reason.
import { randomBytes } from "node:crypto";
import { isUid } from "@parley/protocol";
import type { Broker } from "../broker/broker.ts";
import type { Decisions } from "../hooks/decisions.ts";
import { type HookAnswer, type Hooks, isRecord } from "../hooks/hooks.ts";
import { type Asker, registerQuestion } from "../hooks/questions.ts";
import { checkConnect } from "../packets/grammar.ts";
import { type Connect, protocolOf, readPacket, type Version, writePacket } from "../packets/packets.ts";
import { isPlainText } from "../packets/properties.ts";
import { type Reason, reasonOfError, reasons } from "../packets/reasons.ts";
import { isTopicName } from "../packets/topic.ts";
import { readGrant, type TreeGrant } from "../tree/grant.ts";
import { mountWill } from "../tree/publish.ts";

export interface Peer {
  address: string;
  port: number;
  /** names this connection, of all edges' */
  connectionId: string;
}

export interface Admission extends Asker {
  version: Version;
  /** the CONNECT for the broker, with the services' login in place of the device's */
  packet: Buffer;
  keepAliveSeconds: number;
  /** how long the session outlives the connection; 0 when it ends with it */
  sessionExpirySeconds: number;
  /** the client id was the edge's to choose, and MQTT 5 is told it */
  assigned: boolean;
  /** the device asked for a longer session than it gets, and MQTT 5 is told */
  capped: boolean;
  /** MQTT 5: it wants to be told in words what was wrong (Request Problem Information) */
  wantsWords: boolean;
  /** the largest packet it takes */
  maxPacketBytes: number;
  /** PUBLISHes of QoS 1 and 2 that it takes without having confirmed them [MQTT5 3.1.2.11.3] */
  receiveMaximum: number;
  /** of its own; undefined: it speaks Parley's own protocol */
  tree: TreeGrant | undefined;
}

/** `maxPacketBytes`: the largest packet that may tell it. */
export type ConnectDecision =
  | { admission: Admission }
  | { refused: Reason; version: Version; maxPacketBytes: number | undefined };

export interface ConnectRules {
  hooks: Hooks;
  decisions: Decisions;
  broker: Broker;
  maxSessionExpirySeconds: number;
}

/** `bytes` is a whole packet of type CONNECT whose variable header begins at `body`. */
export async function decideConnect(
  bytes: Buffer,
  body: number,
  peer: Peer,
  rules: ConnectRules,
): Promise<ConnectDecision> {
  const { supported, answerAs: version } = protocolOf(bytes, body);
  let maxPacketBytes: number | undefined;
  const refuse = (refused: Reason): ConnectDecision => ({ refused, version, maxPacketBytes });
  if (!supported) return refuse(reasons.unsupportedVersion);
  const misspelled = checkConnect(bytes, body, version);
  if (misspelled !== undefined) return refuse(misspelled);
  const connect = readPacket(bytes, "connect", version) as Connect | undefined;
  if (connect === undefined) return refuse(reasons.malformed);
  maxPacketBytes = connect.properties?.maximumPacketSize;
  const fault = findFault(connect);
  if (fault !== undefined) return refuse(fault);
  const clientId = connect.clientId || assignClientId(connect);
  if (clientId === undefined) return refuse(wrongClientId(connect));
  const hook = version === 5 ? "auth_on_register_m5" : "auth_on_register";
  const answer = await rules.hooks.ask(hook, registerQuestion(connect, clientId, peer, peer.connectionId));
  if (answer.verdict === "refused") {
    const reason = reasonOfError(answer.error);
    return refuse(reason === reasons.clientIdInvalid ? wrongClientId(connect) : reason);
  }
  const granted = answer.verdict === "ok" ? readGranted(connect, clientId, answer) : undefined;
  if (granted === undefined) return refuse(reasons.unavailable);
  if (!isPlainText(Buffer.from(granted.clientId))) return refuse(wrongClientId(connect));
  const willFault =
    granted.tree === undefined ? await refuseWill(connect, granted, rules.decisions) : mountOwn(connect, granted.tree);
  if (willFault !== undefined) return refuse(willFault);
  return { admission: admit(connect, granted, rules) };
}

function findFault(connect: Connect): Reason | undefined {
  const { will, properties } = connect;
  if (properties?.authenticationMethod !== undefined) return reasons.badAuthMethod;
  if (properties?.authenticationData !== undefined) return reasons.protocolError;
  if (will === undefined) return undefined;
  return isTopicName(will.topic) ? undefined : reasons.topicInvalid;
}

/** An empty client id gets one that belongs to its user; 3.1.1 may leave it empty only with a clean session [MQTT-3.1.3-8]. */
function assignClientId({ username = "", clean, protocolVersion }: Connect): string | undefined {
  if (protocolVersion === 4 && clean !== true) return undefined;
  return `${isUid(username) ? username : "guest"}:${randomBytes(8).toString("hex")}`;
}

function wrongClientId({ username = "{user}" }: Connect): Reason {
  const words = `the client id of ${username} is ${username} or ${username}:{device}, with a token the one it was made for`;
  return { ...reasons.clientIdInvalid, words };
}

interface Granted extends Asker {
  tree: TreeGrant | undefined;
}

/** The hook may name the device anew, and give it a tree of its own. */
function readGranted(connect: Connect, clientId: string, answer: HookAnswer): Granted | undefined {
  const modifiers = answer.body.modifiers ?? {};
  if (!isRecord(modifiers)) return undefined;
  const { client_id: newClientId = clientId, username = connect.username ?? null, mountpoint = "" } = modifiers;
  if (typeof newClientId !== "string" || newClientId === "" || typeof mountpoint !== "string") return undefined;
  if (username !== null && typeof username !== "string") return undefined;
  const tree = mountpoint === "" ? undefined : readGrant(mountpoint, answer.body);
  if (mountpoint !== "" && tree === undefined) return undefined;
  const hasOwnTopics = answer.body.own_topics === true && tree === undefined;
  return { clientId: newClientId, username, tree, hasOwnTopics, expiresAt: readExpiry(answer) };
}

/** `expire_at` beside `result`: unix seconds at which the login ends. */
function readExpiry(answer: HookAnswer): number | undefined {
  const { expire_at: expireAt } = answer.body;
  return typeof expireAt === "number" && Number.isFinite(expireAt) ? expireAt * 1000 : undefined;
}

/** A Will is checked like the publish it will be, now that somebody is there to hear no. */
async function refuseWill(connect: Connect, asker: Asker, decisions: Decisions): Promise<Reason | undefined> {
  const { will, protocolVersion } = connect;
  if (will === undefined) return undefined;
  if (will.retain === true && protocolVersion === 5) return reasons.retainRefused;
  const publication = {
    topic: will.topic,
    qos: will.qos ?? 0,
    retain: false,
    payload: Buffer.from(will.payload),
    properties: will.properties,
  };
  const verdict = await decisions.askPublish(asker, publication, { version: protocolVersion, isOpen: () => false });
  if (verdict === undefined) return reasons.unavailable;
  if (!verdict.allowed) return reasons.willRefused;
  if (verdict.topic !== undefined) will.topic = verdict.topic;
  return undefined;
}

/** The Will of a device with a tree goes there, as all that it publishes. */
function mountOwn(connect: Connect, { mountpoint }: TreeGrant): Reason | undefined {
  if (connect.will === undefined) return undefined;
  const will = mountWill(connect.will, mountpoint);
  if (will === undefined) return reasons.topicInvalid;
  connect.will = will;
  return undefined;
}

/** The edge judges silence, as the broker sees no refused packet; the broker's own patience is for an edge that vanished. */
function relaxKeepAlive(seconds: number): number {
  return seconds === 0 ? 0 : Math.min(2 * seconds + 10, 65_535);
}

function admit(connect: Connect, granted: Granted, rules: ConnectRules): Admission {
  const { protocolVersion: version, keepalive = 0, will } = connect;
  const isEphemeral = granted.tree?.isEphemeral === true;
  const clean = isEphemeral || connect.clean === true;
  const max = isEphemeral ? 0 : rules.maxSessionExpirySeconds;
  const asked = version === 5 ? (connect.properties?.sessionExpiryInterval ?? 0) : clean ? 0 : max;
  const sessionExpirySeconds = Math.min(asked, max);
  // Without aliases from the broker every PUBLISH names its topic, which a tree has to strip. What is larger than the
  // device takes the broker would drop without a word: the edge tells it.
  const { topicAliasMaximum: _, maximumPacketSize: __, ...properties } = connect.properties ?? {};
  if (version === 5) properties.sessionExpiryInterval = sessionExpirySeconds;
  const packet = writePacket(
    {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version,
      clientId: granted.clientId,
      clean,
      keepalive: relaxKeepAlive(keepalive),
      username: rules.broker.username,
      password: Buffer.from(rules.broker.password),
      ...(will === undefined ? {} : { will: { ...will, retain: false } }),
      ...(version === 5 ? { properties } : {}),
    },
    version,
  );
  return {
    ...granted,
    version,
    packet,
    keepAliveSeconds: keepalive,
    sessionExpirySeconds,
    assigned: connect.clientId === "",
    capped: asked > sessionExpirySeconds,
    wantsWords: version === 5 && connect.properties?.requestProblemInformation !== false,
    maxPacketBytes: connect.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    receiveMaximum: connect.properties?.receiveMaximum ?? 65_535,
  };
}
