// Requests over MQTT: asked of the service that owns the method, answered on the device's own topic.
import {
  AppError,
  type Caller,
  checkRequest,
  deviceTopic,
  limits,
  type Method,
  methodSubject,
  methods,
  type RequestPacket,
  type UplinkTopic,
} from "@parley/protocol";
import { type NatsConnection, type ReceivedPacket, request } from "@parley/runtime";
import type { TObject, TSchema } from "typebox";
import { decodePacket } from "../admit/decode.ts";
import type { PacketName } from "../deliver/acknowledge.ts";
import type { Send } from "../deliver/send.ts";
import type { Uplink } from "../path.ts";

export interface RequestParts {
  nats: NatsConnection;
  send: Send["once"];
}

const timeoutMs = 10_000;
const limit = { bytes: 256 * 1024, depth: limits.packetDepth, nodes: 25_000 };

export function requestUplink({ nats, send }: RequestParts): Uplink<RequestPacket> {
  async function answer(from: UplinkTopic, packet: Uint8Array, { properties }: ReceivedPacket): Promise<void> {
    const { correlationData } = properties;
    await send(packet, { users: [], devices: [from] }, correlationData ? { correlationData } : {});
  }

  return {
    isStored: false,
    decode: ({ payload }) => decodePacket(payload, checkRequest, limit),
    refuse: (from, name, error, arrived) => answer(from, answerPacket(name, errorOf(error)), arrived),
    async work(asked, from, arrived) {
      const method = methodOf(asked, from, arrived);
      if (method instanceof AppError) return method;
      const body = JSON.stringify({ caller: callerOf(asked, from), params: asked.params ?? {} });
      const answered = await request(nats, methodSubject(method.name), body, { timeoutMs });
      const packet = answerPacket(asked.id ?? null, answered);
      const { maxBytes } = asked;
      if (maxBytes !== undefined && packet.byteLength > maxBytes) return tooLarge(packet.byteLength, maxBytes);
      await answer(from, packet, arrived);
      return undefined;
    },
  };
}

function methodOf(
  { method: name }: RequestPacket,
  { uid, clientId }: UplinkTopic,
  { properties }: ReceivedPacket,
): Method<TObject, TSchema> | AppError {
  const { responseTopic } = properties;
  if (responseTopic !== undefined && responseTopic !== deviceTopic(uid, clientId))
    return new AppError("forbidden", "the Response Topic must be the device's own");
  const method = methods.get(name);
  return method?.mqtt ? method : new AppError("not_found", `no method ${JSON.stringify(name.slice(0, 40))} over MQTT`);
}

function callerOf({ id, maxBytes }: RequestPacket, { uid, clientId }: UplinkTopic): Caller {
  return {
    uid,
    clientId,
    via: "mqtt",
    ...(id === undefined ? {} : { requestId: String(id) }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
}

function tooLarge(bytes: number, maxBytes: number): AppError {
  const message = `the answer has ${bytes} bytes, the request takes ${maxBytes}`;
  return new AppError("too_large", message, { details: { bytes, maxBytes } });
}

function errorOf(error: AppError): Uint8Array {
  return Buffer.from(JSON.stringify({ error: error.toWire() }));
}

// The owner's answer with the request's id in front; its bytes are not parsed.
function answerPacket(id: PacketName, answered: Uint8Array): Uint8Array {
  if (id === null) return answered;
  return Buffer.concat([Buffer.from(`{"id":${JSON.stringify(id)},`), answered.subarray(1)]);
}
