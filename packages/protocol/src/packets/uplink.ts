// What a native client publishes on im/up/…: messages, receipts, typing, state, requests.
import Type, { type Static } from "typebox";
import { checkOf } from "../check.ts";
import { Conv, controls, DeviceKind, displayText, PacketId, packetId, RequestId, To, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { contentKinds } from "./content.ts";
import { notices } from "./downlink.ts";

const Seq = Type.Integer({ minimum: 0, description: "position in the conversation" });
const contentTypes = Object.keys(contentKinds);
const noticeTypes = Object.values(notices).map(({ properties }) => properties.type.const);

/** `im/up/…/msg`: unknown fields pass through unread. */
export const MessagePacket = Type.Object({
  id: Type.Optional(packetId("made by the device; makes sending again safe")),
  to: To,
  type: Type.Optional(
    Type.String({
      maxLength: 32,
      // A message must not read like what only the server says.
      pattern: `^(?!(${noticeTypes.join("|").replaceAll(".", "\\.")})$)[^${controls}]*$`,
      description: `chat, grpchat …: passed through; none of ${noticeTypes.join(", ")}; no control characters`,
    }),
  ),
  thread: Type.Optional(
    Type.Union([displayText({ maxLength: 128 }), Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })], {
      description: "seq of the message that the thread is about; a text is passed through",
    }),
  ),
  content: Type.Object({
    type: Type.String({
      pattern: `^(${contentTypes.join("|")}|event|x-[a-z0-9.-]{1,40})$`,
      description: `${contentTypes.join(", ")} or x-…`,
    }),
    seq: Type.Optional(Type.Integer({ minimum: 1, description: "the message an edit, recall or reaction points at" })),
    mentions: Type.Optional(Type.Array(displayText({ maxLength: 64 }), { maxItems: 100 })),
  }),
  reply: Type.Optional(Type.Integer({ minimum: 1, description: "seq of the message answered" })),
  expires: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: limits.expirySeconds,
      description: "seconds after which it disappears; default: as the conversation has it",
    }),
  ),
  expiresFrom: Type.Optional(
    Type.Union([Type.Literal("sent"), Type.Literal("read")], {
      description: "from when `expires` counts: default sent; read: the first reading by anybody but the sender",
    }),
  ),
  prev: Type.Optional(packetId("id of this device's previous message to the conversation")),
});
export type MessagePacket = Static<typeof MessagePacket>;

/** `im/up/…/receipt`: high-water marks. */
export const ReceiptPacket = Type.Object(
  {
    conv: Conv,
    delivered: Type.Optional(Seq),
    read: Type.Optional(Seq),
    id: Type.Optional(PacketId),
  },
  { additionalProperties: false },
);
export type ReceiptPacket = Static<typeof ReceiptPacket>;

/** `im/up/…/typing`, QoS 0, never stored. */
export const TypingPacket = Type.Object(
  { conv: Conv, state: Type.Union([Type.Literal("composing"), Type.Literal("paused"), Type.Literal("recording")]) },
  { additionalProperties: false },
);
export type TypingPacket = Static<typeof TypingPacket>;

/** `im/up/…/state`: what the device says of itself. */
export const StatePacket = Type.Object(
  {
    active: Type.Optional(Type.Boolean()),
    show: Type.Optional(
      Type.Union(
        [
          Type.Literal("online"),
          Type.Literal("chat"),
          Type.Literal("away"),
          Type.Literal("dnd"),
          Type.Literal("invisible"),
        ],
        { description: "chat is online; invisible looks offline, until the device says otherwise" },
      ),
    ),
    status: Type.Optional(displayText({ maxLength: 256 })),
    kind: Type.Optional(DeviceKind),
  },
  { additionalProperties: false },
);
export type StatePacket = Static<typeof StatePacket>;

/** `im/up/…/state` too, SlimChat draft, Presence: the four types that speak of a subscription. */
export const SubscriptionPacket = Type.Object(
  {
    id: Type.Optional(RequestId),
    type: Type.Union(
      [
        Type.Literal("subscribe"),
        Type.Literal("subscribed"),
        Type.Literal("unsubscribe"),
        Type.Literal("unsubscribed"),
      ],
      {
        description:
          "asks to be each other's contact; agrees; ends it, or takes back what was asked; does not agree, or ends it",
      },
    ),
    uid: Uid,
  },
  { additionalProperties: false },
);
export type SubscriptionPacket = Static<typeof SubscriptionPacket>;

/** `im/up/…/rpc`: a request for a method of the table. */
export const RequestPacket = Type.Object(
  {
    id: Type.Optional(RequestId),
    method: Type.String({ minLength: 1, maxLength: 64 }),
    params: Type.Optional(Type.Object({})),
    maxBytes: Type.Optional(
      Type.Integer({
        minimum: 1024,
        description: "the largest answer the device takes: pages end at it, what is larger is answered too_large",
      }),
    ),
  },
  { additionalProperties: false },
);
export type RequestPacket = Static<typeof RequestPacket>;

export const checkMessage = checkOf(MessagePacket);
export const checkReceipt = checkOf(ReceiptPacket);
export const checkTyping = checkOf(TypingPacket);
export const checkState = checkOf(StatePacket);
export const checkSubscription = checkOf(SubscriptionPacket);
export const checkRequest = checkOf(RequestPacket);
