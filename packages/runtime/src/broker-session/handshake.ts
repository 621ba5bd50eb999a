// CONNECT and SUBSCRIBE as we send them, CONNACK and SUBACK as we read them.
import type { IConnackPacket, ISubackPacket } from "mqtt-packet";
import mqttPacket from "mqtt-packet";
import type { BrokerSessionOptions } from "./options.ts";
import type { BrokerLimits } from "./outbound.ts";
import { ReasonCode, reasonName } from "./reason-codes.ts";

const DEFAULT_IN_FLIGHT = 1_000;
// Leaves packet ids for SUBSCRIBE.
const MAX_IN_FLIGHT = 65_000;
const DEFAULT_RECEIVE_MAXIMUM = 65_535;

const MQTT5 = { protocolVersion: 5 } as const;

export function encodeConnect(options: BrokerSessionOptions, cleanStart: boolean): Buffer {
  const { clientId, username, password, keepAliveSeconds, sessionExpirySeconds, receiveMaximum } = options;
  return mqttPacket.generate({
    cmd: "connect",
    protocolId: "MQTT",
    ...MQTT5,
    clientId,
    clean: cleanStart,
    keepalive: keepAliveSeconds,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    properties: { sessionExpiryInterval: sessionExpirySeconds, receiveMaximum, topicAliasMaximum: 0 },
  });
}

export function encodeSubscribe(options: BrokerSessionOptions, messageId: number): Buffer {
  const subscriptions = options.subscriptions.map(({ topic, qos, noLocal = false, retainHandling = 2 }) => {
    return { topic, qos, nl: noLocal, rap: false, rh: retainHandling };
  });
  return mqttPacket.generate({ cmd: "subscribe", messageId, subscriptions }, MQTT5);
}

export function encodePingreq(): Buffer {
  return mqttPacket.generate({ cmd: "pingreq" }, MQTT5);
}

export function encodeDisconnect(reasonCode: number): Buffer {
  return mqttPacket.generate({ cmd: "disconnect", reasonCode }, MQTT5);
}

export function brokerLimits(connack: IConnackPacket, options: BrokerSessionOptions): BrokerLimits {
  const { receiveMaximum, maximumPacketSize, maximumQoS } = connack.properties ?? {};
  const own = Math.min(options.maxInFlight ?? DEFAULT_IN_FLIGHT, MAX_IN_FLIGHT);
  return {
    window: Math.min(receiveMaximum ?? DEFAULT_RECEIVE_MAXIMUM, own),
    maximumPacketBytes: maximumPacketSize ?? Number.POSITIVE_INFINITY,
    maximumQos: maximumQoS ?? 2,
  };
}

/** The first filter the broker refused, or granted less than QoS asked for; undefined if all is well. */
export function refusedSubscription(suback: ISubackPacket, options: BrokerSessionOptions): string | undefined {
  const granted = suback.granted as number[];
  for (const [index, { topic, qos }] of options.subscriptions.entries()) {
    const code = granted[index] ?? ReasonCode.protocolError;
    if (code >= 0x80) return `subscription ${topic} refused: ${reasonName(code)}`;
    if (code < qos) return `subscription ${topic} granted with QoS ${code} instead of ${qos}`;
  }
  return undefined;
}
