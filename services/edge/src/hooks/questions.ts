// The bodies of the hooks, spelled as VerneMQ spells them (captured in its webhook fixtures).
import type { ISubscription } from "mqtt-packet";
import type { Connect } from "../packets/packets.ts";

/** Who asks: what every publish and subscribe question names. */
export interface Asker {
  username: string | null;
  clientId: string;
  /** its login said that it has its own topics, as a native device: no hook is asked about any */
  hasOwnTopics: boolean;
  /** unix time in ms at which the login ends */
  expiresAt: number | undefined;
}

type Named = Pick<Asker, "username" | "clientId">;

export interface Publication {
  topic: string;
  qos: number;
  retain: boolean;
  payload: Buffer;
  properties?: object | undefined;
}

export function registerQuestion(
  connect: Connect,
  clientId: string,
  peer: { address: string; port: number },
  connectionId: string,
): object {
  const asked = {
    // Ours: VerneMQ has no name for a connection.
    connection_id: connectionId,
    peer_addr: peer.address,
    peer_port: peer.port,
    mountpoint: "",
    client_id: clientId,
    // Made up for this connection: nobody needs to remember the device.
    ...(connect.clientId ? {} : { assigned: true }),
    username: connect.username ?? null,
    password: connect.password?.toString("utf8") ?? null,
  };
  if (connect.protocolVersion === 4) return { ...asked, clean_session: connect.clean === true };
  return { ...asked, clean_start: connect.clean === true, properties: spell(connect.properties) };
}

export function publishQuestion(asker: Named, publication: Publication, version: number): object {
  const asked = {
    username: asker.username,
    mountpoint: "",
    client_id: asker.clientId,
    qos: publication.qos,
    topic: publication.topic,
    payload: publication.payload.toString("base64"),
    retain: publication.retain,
  };
  return version === 5 ? { ...asked, properties: spell(publication.properties) } : asked;
}

/** The topics of one SUBSCRIBE are listed in reverse order, as VerneMQ does. */
export function subscribeQuestion(asker: Named, subscriptions: ISubscription[], version: number): object {
  const topics = subscriptions.map((one) =>
    version === 5
      ? {
          topic: one.topic,
          qos: one.qos,
          no_local: one.nl === true,
          rap: one.rap === true,
          retain_handling: retainHandling[one.rh ?? 0],
        }
      : { topic: one.topic, qos: one.qos },
  );
  const asked = { username: asker.username, mountpoint: "", client_id: asker.clientId, topics: topics.reverse() };
  return version === 5 ? { ...asked, properties: {} } : asked;
}

const retainHandling = ["send_retain", "send_if_new_sub", "dont_send"];

const propertyNames: Record<string, string> = {
  sessionExpiryInterval: "p_session_expiry_interval",
  receiveMaximum: "p_receive_max",
  maximumPacketSize: "p_max_packet_size",
  topicAliasMaximum: "p_topic_alias_max",
  requestResponseInformation: "p_request_response_info",
  requestProblemInformation: "p_request_problem_info",
  payloadFormatIndicator: "p_payload_format_indicator",
  messageExpiryInterval: "p_message_expiry_interval",
  contentType: "p_content_type",
  responseTopic: "p_response_topic",
  correlationData: "p_correlation_data",
  willDelayInterval: "p_will_delay_interval",
  userProperties: "p_user_property",
};

function spell(properties: object | undefined): Record<string, unknown> {
  const spelled: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(properties ?? {})) {
    const name = propertyNames[key];
    if (name !== undefined) spelled[name] = spellValue(key, value);
  }
  return spelled;
}

function spellValue(key: string, value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (key === "payloadFormatIndicator") return value ? "utf8" : "undefined";
  if (key !== "userProperties") return value;
  const pairs = Object.entries(value as Record<string, string | string[]>);
  return pairs.flatMap(([name, one]) => [one].flat().map((val) => ({ key: base64(name), val: base64(val) })));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
