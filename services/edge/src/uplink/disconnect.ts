// Decides DISCONNECT: it may change how long the session lives, within what the edge allows.
import { checkDisconnect } from "../packets/grammar.ts";
import { asItCame, type Outcome } from "../packets/outcome.ts";
import { readPacket, type Version, writePacket } from "../packets/packets.ts";
import { reasons } from "../packets/reasons.ts";

export interface DisconnectDecision {
  outcome: Outcome;
  sessionExpirySeconds: number;
}

export function decideDisconnect(
  packet: Buffer,
  body: number,
  version: Version,
  sessionExpirySeconds: number,
  maxSessionExpirySeconds: number,
): DisconnectDecision {
  const fault = checkDisconnect(packet, body, version);
  if (fault !== undefined) return { outcome: { close: fault }, sessionExpirySeconds };
  if (version === 4 || packet.length <= 3) return { outcome: asItCame, sessionExpirySeconds };
  const disconnect = readPacket(packet, "disconnect", 5);
  if (disconnect === undefined) return { outcome: { close: reasons.malformed }, sessionExpirySeconds };
  const asked = disconnect.properties?.sessionExpiryInterval;
  if (asked === undefined) return { outcome: asItCame, sessionExpirySeconds };
  // A session that was to end with its connection cannot be kept after all [MQTT5 3.14.2.2.2].
  if (sessionExpirySeconds === 0 && asked > 0)
    return { outcome: { close: reasons.protocolError }, sessionExpirySeconds };
  if (asked <= maxSessionExpirySeconds) return { outcome: asItCame, sessionExpirySeconds: asked };
  const properties = { ...disconnect.properties, sessionExpiryInterval: maxSessionExpirySeconds };
  const forward = writePacket({ ...disconnect, properties }, 5);
  return { outcome: { forward }, sessionExpirySeconds: maxSessionExpirySeconds };
}
