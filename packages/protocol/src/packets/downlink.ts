// What Parley publishes on im/dn/…: messages, acks, receipts, typing, presence.
import Type, { type Static } from "typebox";
import { Conv, RoomId, Uid } from "../ids.ts";

const Seq = Type.Integer({ minimum: 0 });
const Ts = Type.Integer({ minimum: 0, description: "unix time, ms" });

/** A stored message: the sender's packet with the server's fields in front. */
export const Message = Type.Object(
  {
    conv: Conv,
    seq: Type.Integer({ minimum: 1 }),
    from: Uid,
    device: Type.String({ description: "client id of the sending device, or who sent for it" }),
    ts: Ts,
    id: Type.String(),
    to: Type.String(),
    content: Type.Object({ type: Type.String() }, { additionalProperties: true }),
  },
  { additionalProperties: true, description: "the sender's packet with the server's fields in front" },
);
export type Message = Static<typeof Message>;

/** The promise: stored, with its position. Only to the sending device. */
export const AckPacket = Type.Object({
  type: Type.Literal("ack"),
  id: Type.String(),
  conv: Conv,
  seq: Type.Integer({ minimum: 1 }),
  ts: Ts,
});
export type AckPacket = Static<typeof AckPacket>;

/** A refusal, with what was wrong. `id` is null when the packet's could not be read. */
export const NackPacket = Type.Object({
  type: Type.Literal("nack"),
  id: Type.Union([Type.String(), Type.Integer(), Type.Null()]),
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(Type.Object({}, { additionalProperties: true })),
});
export type NackPacket = Static<typeof NackPacket>;

export const ReceiptNotice = Type.Object({
  type: Type.Literal("receipt"),
  conv: Conv,
  uid: Uid,
  delivered: Seq,
  read: Seq,
});
export type ReceiptNotice = Static<typeof ReceiptNotice>;

export const TypingNotice = Type.Object({ type: Type.Literal("typing"), conv: Conv, uid: Uid, state: Type.String() });
export type TypingNotice = Static<typeof TypingNotice>;

export const PresenceNotice = Type.Object({
  type: Type.Literal("presence"),
  uid: Uid,
  show: Type.Union([Type.Literal("online"), Type.Literal("away"), Type.Literal("dnd"), Type.Literal("offline")]),
  status: Type.Optional(Type.String()),
  lastSeen: Type.Union([Ts, Type.Null()]),
});
export type PresenceNotice = Static<typeof PresenceNotice>;

/** Somebody asks the user into a room; it may be lost, `rooms.invitations` has it. */
export const InvitationNotice = Type.Object({
  type: Type.Literal("invitation"),
  id: RoomId,
  conv: Conv,
  name: Type.String(),
  by: Uid,
});
export type InvitationNotice = Static<typeof InvitationNotice>;

/** One entry of a roster, as its owner sees it. SlimChat draft, Buddy: id, name, nick, group, avatar. */
export const Contact = Type.Object(
  {
    id: Uid,
    name: Type.String({ description: "of the user's profile; the uid where there is none" }),
    nick: Type.String({ description: "the owner's own name for the user, else the profile's nick, else the name" }),
    group: Type.String(),
    avatar: Type.String(),
    note: Type.String(),
    tags: Type.Array(Type.String()),
    relation: Type.Union(
      [
        Type.Literal("contact"),
        Type.Literal("requested"),
        Type.Literal("pending"),
        Type.Literal("none"),
        Type.Literal("removed"),
      ],
      {
        description:
          "contact; requested: the owner has asked; pending: the user has; none: only blocked or muted; removed",
      },
    ),
    blocked: Type.Boolean(),
    muted: Type.Boolean(),
    changedAt: Type.Integer({ description: "unix ms" }),
  },
  { description: "one entry of a roster" },
);
export type Contact = Static<typeof Contact>;

/** To all devices of the one whose roster it is. */
export const RosterNotice = Type.Object({ type: Type.Literal("roster.changed"), contact: Contact });
export type RosterNotice = Static<typeof RosterNotice>;

/** In place of a packet larger than the device takes (its Maximum Packet Size): what could be read of it. */
export const TooLargeNotice = Type.Object({
  type: Type.Literal("too_large"),
  conv: Type.Optional(Conv),
  seq: Type.Optional(Type.Integer({ minimum: 1 })),
  bytes: Type.Integer({ minimum: 1, description: "size of the packet it stands for" }),
});
export type TooLargeNotice = Static<typeof TooLargeNotice>;

/** An answer to a request: result or error, with the request's id. */
export const AnswerPacket = Type.Object({
  id: Type.Optional(Type.Union([Type.String(), Type.Integer(), Type.Null()])),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
});
export type AnswerPacket = Static<typeof AnswerPacket>;

export type DownlinkPacket =
  | Message
  | AckPacket
  | NackPacket
  | ReceiptNotice
  | TypingNotice
  | PresenceNotice
  | InvitationNotice
  | RosterNotice
  | TooLargeNotice
  | AnswerPacket;
