// Requests over MQTT (DESIGN §5): confirmed on arrival, answered on the device's own topic.
import {
  AppError,
  type Caller,
  checkRequest,
  decodeObject,
  deviceTopic,
  type JsonObject,
  limits,
  type Method,
  methodSubject,
  methods,
  type UplinkTopic,
} from "@parley/protocol";
import { type NatsConnection, type PublishProperties, type ReceivedPacket, request } from "@parley/runtime";
import type { TObject, TSchema } from "typebox";
import type { Admit } from "../admit/admit.ts";
import { misplaced } from "../admit/decode.ts";
import { tooMuch, type UnderWay } from "../admit/under-way.ts";
import type { Take } from "../ingest/partition.ts";

export interface RequestParts {
  nats: NatsConnection;
  admit: Admit;
  underWay: UnderWay;
  publish(topic: string, payload: Uint8Array, qos: 0 | 1, properties?: PublishProperties): Promise<void>;
}

type RequestId = string | number | undefined;

const timeoutMs = 10_000;
const limit = { bytes: 256 * 1024, depth: limits.packetDepth, nodes: 25_000 };

export function createTakeRequest({ nats, admit, underWay, publish }: RequestParts): Take {
  async function answerOf(method: Method<TObject, TSchema>, caller: Caller, params: unknown): Promise<Uint8Array> {
    const asked = JSON.stringify({ caller, params });
    const end = underWay.begin(asked.length);
    if (!end) throw tooMuch();
    return request(nats, methodSubject(method.name), asked, { timeoutMs }).finally(end);
  }

  return async (packet, topic, confirm) => {
    confirm();
    const parsed = decodeObject(packet.payload, limit);
    const id = parsed instanceof AppError ? undefined : idOf(parsed);
    let answer: Uint8Array;
    try {
      const { method, params } = understand(parsed, packet, topic, admit);
      answer = await answerOf(method, callerOf(topic, id), params);
    } catch (thrown) {
      answer = Buffer.from(JSON.stringify({ error: AppError.from(thrown).toWire() }));
    }
    const correlationData = packet.properties.correlationData;
    const own = deviceTopic(topic.uid, topic.clientId);
    await publish(own, withId(answer, id), 1, correlationData ? { correlationData } : {});
  };
}

function understand(parsed: JsonObject | AppError, packet: ReceivedPacket, topic: UplinkTopic, admit: Admit) {
  if (parsed instanceof AppError) throw parsed;
  const asked = checkRequest(parsed);
  if (asked instanceof AppError) throw asked;
  const { responseTopic } = packet.properties;
  if (responseTopic !== undefined && responseTopic !== deviceTopic(topic.uid, topic.clientId))
    throw new AppError("forbidden", "the Response Topic must be the device's own");
  const refused = misplaced(topic) ?? admit(topic);
  if (refused) throw refused;
  const method = methods.get(asked.method);
  if (!method?.mqtt)
    throw new AppError("not_found", `no method ${JSON.stringify(asked.method.slice(0, 40))} over MQTT`);
  return { method, params: asked.params ?? {} };
}

function callerOf({ uid, clientId }: UplinkTopic, id: RequestId): Caller {
  return { uid, clientId, via: "mqtt", ...(id === undefined ? {} : { requestId: String(id) }) };
}

function idOf({ id }: JsonObject): RequestId {
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

// The owner's answer with the request's id in front; its bytes are not parsed.
function withId(answer: Uint8Array, id: RequestId): Uint8Array {
  if (id === undefined) return answer;
  return Buffer.concat([Buffer.from(`{"id":${JSON.stringify(id)},`), answer.subarray(1)]);
}
