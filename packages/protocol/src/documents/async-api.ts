// AsyncAPI 3 of the native MQTT side, made from the topics, the packets and the table of methods.
import type { TSchema } from "typebox";
import Type from "typebox";
import { methods } from "../methods/index.ts";
import { contentKinds } from "../packets/content.ts";
import { AnswerPacket, Message, notices } from "../packets/downlink.ts";
import {
  MessagePacket,
  ReceiptPacket,
  RequestPacket,
  StatePacket,
  SubscriptionPacket,
  TypingPacket,
} from "../packets/uplink.ts";
import { deviceTopic, ephemeralTopic, messagesTopic, type UplinkVerb, uplinkTopic } from "../topics.ts";
import { documentVersion, type Json, type JsonDocument, namedSchemas, schemaJson } from "./json-document.ts";

const description = [
  "The native MQTT protocol. `POST /login` answers a device's exact topics and its password.",
  "A message is stored when its `ack` has come; sent again with the same `id` it is stored once.",
].join("\n");

interface Channel {
  address: string;
  title: string;
  qos: 0 | 1;
  messages: Record<string, { summary: string; payload: Json }>;
}

const place = { p: "{p}", uid: "{uid}", clientId: "{clientId}" };
const parameterTexts: Record<string, string> = {
  p: "ingest partition: the first hex digit of md5(client id)",
  uid: "user id",
  clientId: "MQTT client id of the device",
};

/** The whole document, as plain JSON. */
export function asyncApiDocument(): JsonDocument {
  const uplinks = uplinkChannels();
  const downlinks = downlinkChannels();
  const channels = Object.fromEntries(
    Object.entries({ ...uplinks, ...downlinks }).map(([name, channel]) => [name, channelJson(channel)]),
  );
  const operations = Object.fromEntries([
    ...Object.keys(uplinks).map((name) => [`receive-${name}`, operation("receive", name)]),
    ...Object.keys(downlinks).map((name) => [`send-${name}`, operation("send", name)]),
  ]) as JsonDocument;
  return {
    asyncapi: "3.0.0",
    info: { title: "Parley", version: documentVersion, description, license: { name: "Apache-2.0" } },
    defaultContentType: "application/json",
    servers: {
      tcp: { host: "127.0.0.1:1883", protocol: "mqtt", description: "host and port as login answers them" },
      websocket: { host: "127.0.0.1:8080", pathname: "/mqtt", protocol: "ws", description: "as login answers it" },
    },
    channels,
    operations,
    components: { schemas: namedSchemas(channels) },
  };
}

function uplinkChannels(): Record<string, Channel> {
  const packet = (verb: UplinkVerb, title: string, qos: 0 | 1, schema: TSchema): Channel => ({
    address: uplinkTopic({ ...place, verb }),
    title,
    qos,
    messages: { [verb]: { summary: title, payload: schemaJson(schema) } },
  });
  const rpc = packet("rpc", "a request, answered on the device's topic", 1, RequestPacket);
  const state = packet("state", "what a device says of itself, and of subscriptions", 1, StatePacket);
  const subscription = { subscription: { summary: "of a subscription", payload: schemaJson(SubscriptionPacket) } };
  const msg = packet("msg", "a message to be stored and delivered", 1, MessagePacket);
  return {
    msg: { ...msg, messages: { ...msg.messages, ...contents() } },
    receipt: packet("receipt", "how far a device has received and its user read", 1, ReceiptPacket),
    state: { ...state, messages: { ...state.messages, ...subscription } },
    typing: packet("typing", "never stored", 0, TypingPacket),
    rpc: { ...rpc, messages: { ...rpc.messages, ...requests() } },
  };
}

function downlinkChannels(): Record<string, Channel> {
  const { typingNotice, presence, ack, nack, ...toUsers } = notices;
  const { tooLarge } = toUsers;
  const packets = (schemas: Record<string, TSchema>) =>
    Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, { summary: name, payload: schemaJson(schema) }]),
    );
  return {
    messages: {
      address: messagesTopic("{uid}"),
      title:
        "messages, receipts, invitations, changes of the roster and of what the user keeps, to all devices of a user",
      qos: 1,
      messages: packets({ message: Message, ...toUsers }),
    },
    ephemeral: {
      address: ephemeralTopic("{uid}"),
      title: "typing and presence, to all devices of a user",
      qos: 0,
      messages: packets({ typingNotice, presence, tooLarge }),
    },
    device: {
      address: deviceTopic("{uid}", "{clientId}"),
      title: "acks, nacks, answers and messages to one device",
      qos: 1,
      messages: {
        ...packets({ ack, nack, answer: AnswerPacket, deviceMessage: Message, tooLarge }),
        ...answers(),
      },
    },
  };
}

function contents(): Channel["messages"] {
  return Object.fromEntries(
    Object.entries(contentKinds).map(([type, content]) => [
      `content-${type}`,
      { summary: `a message of content.type ${type}`, payload: schemaJson(Type.Object({ content })) },
    ]),
  );
}

function requests(): Channel["messages"] {
  return eachMethod(({ name, summary, params }) => [
    `request-${name}`,
    {
      summary,
      payload: schemaJson(
        Type.Object(
          { id: RequestPacket.properties.id, method: Type.Literal(name), params: Type.Optional(params) },
          { additionalProperties: false },
        ),
      ),
    },
  ]);
}

function answers(): Channel["messages"] {
  return eachMethod(({ name, result }) => [
    `answer-${name}`,
    {
      summary: `the result of ${name}`,
      payload: schemaJson(Type.Object({ id: AnswerPacket.properties.id, result })),
    },
  ]);
}

type AnyMethod = typeof methods extends ReadonlyMap<string, infer M> ? M : never;

function eachMethod(entry: (method: AnyMethod) => [string, { summary: string; payload: Json }]): Channel["messages"] {
  return Object.fromEntries([...methods.values()].filter(({ mqtt }) => mqtt).map(entry));
}

function channelJson({ address, title, qos, messages }: Channel): Json {
  const parameters = [...address.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => [
    name,
    { description: parameterTexts[name] ?? name },
  ]);
  return {
    address,
    title,
    parameters: Object.fromEntries(parameters) as JsonDocument,
    messages: Object.fromEntries(
      Object.entries(messages).map(([name, message]) => [name, { name, ...message }]),
    ) as JsonDocument,
    bindings: { mqtt: {} },
    description: `QoS ${qos}`,
  };
}

function operation(action: "send" | "receive", channel: string): Json {
  const reply = channel === "rpc" ? { reply: { channel: { $ref: "#/channels/device" } } } : {};
  return { action, channel: { $ref: `#/channels/${channel}` }, ...reply };
}
