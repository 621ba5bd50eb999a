// What Parley publishes on im/dn/…: messages, acks, receipts, typing, presence.
import Type, { type Static } from "typebox";
import { Attachment } from "../attachments.ts";
import { Conv, RoomId, Uid } from "../ids.ts";
import { Via } from "../nested-rooms.ts";
import { ScheduledNotice } from "./scheduled.ts";

const Seq = Type.Integer({ minimum: 0 });
const Ts = Type.Integer({ minimum: 0, description: "unix time, ms" });

/** One kind of reaction to a message, and who gave it. */
export const ReactionRow = Type.Object({
  reaction: Type.String(),
  count: Type.Integer({ minimum: 1 }),
  mine: Type.Boolean({ description: "the reader gave it too" }),
  uids: Type.Array(Uid, { description: "in pages the first ten" }),
});

/** How a poll stands, as its reader may know it. */
export const PollState = Type.Object({
  options: Type.Array(
    Type.Object({
      option: Type.Integer({ minimum: 0 }),
      count: Type.Integer({ minimum: 1 }),
      uids: Type.Array(Uid, { description: "in pages the first ten; none of an anonymous poll" }),
    }),
    { description: "those that have votes; none of an anonymous poll before it is closed" },
  ),
  voters: Type.Integer({ minimum: 0 }),
  mine: Type.Array(Type.Integer({ minimum: 0 }), { description: "what the reader voted for" }),
  closed: Type.Optional(Type.Object({ seq: Type.Integer({ minimum: 1 }), by: Uid })),
});
export type PollState = Static<typeof PollState>;

/** A thread, as one member has it. */
export const ThreadState = Type.Object({
  seq: Type.Integer({ minimum: 1, description: "the message that it is about" }),
  count: Type.Integer({ minimum: 0 }),
  lastSeq: Seq,
  unread: Type.Integer({ minimum: 0, description: "by others, behind `readSeq` and the member's own last one" }),
  following: Type.Boolean(),
  readSeq: Seq,
});
export type ThreadState = Static<typeof ThreadState>;

/** A stored message: the sender's packet with the server's fields in front. */
export const Message = Type.Object(
  {
    conv: Conv,
    seq: Type.Integer({ minimum: 1 }),
    from: Uid,
    device: Type.String({ description: "client id of the sending device, or who sent for it" }),
    ts: Ts,
    expiresAt: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "unix time, ms: when it disappears, if that was known when it was sent",
      }),
    ),
    id: Type.String(),
    to: Type.String(),
    content: Type.Object({ type: Type.String() }, { additionalProperties: true }),
    edited: Type.Optional(
      Type.Object(
        {
          seq: Type.Integer({ minimum: 1 }),
          content: Type.Object({ type: Type.String() }, { additionalProperties: true }),
        },
        { additionalProperties: true, description: "in pages: its last edit, a message by itself" },
      ),
    ),
    recalled: Type.Optional(
      Type.Object(
        {
          seq: Type.Integer({ minimum: 1 }),
          by: Uid,
          expired: Type.Optional(Type.Boolean({ description: "nobody recalled it: its time was over" })),
        },
        { description: "in pages: the recall, and whose; nothing is left of the content" },
      ),
    ),
    quoted: Type.Optional(
      Type.Object(
        {
          seq: Type.Integer({ minimum: 1 }),
          from: Uid,
          ts: Ts,
          content: Type.Object({ type: Type.String() }, { additionalProperties: true }),
        },
        { description: "in pages: the message that `reply` names, as it is now, its text cut; absent: not to be read" },
      ),
    ),
    forwarded: Type.Optional(
      Type.Object(
        { from: Type.Optional(Uid), ts: Ts },
        { description: "whose message it was and when it was sent; without `from`: who does not want to be named" },
      ),
    ),
    via: Type.Optional(
      Type.Array(Via, {
        description: "it was said in another room that this one is nested in: the way that it came, the nearest last",
      }),
    ),
    poll: Type.Optional(PollState),
    replies: Type.Optional(
      Type.Object(
        { count: Type.Integer({ minimum: 1 }), lastSeq: Type.Integer({ minimum: 1 }) },
        { description: "in pages: of the thread about it" },
      ),
    ),
    reactions: Type.Optional(Type.Array(ReactionRow, { description: "in pages: as the reader sees them" })),
  },
  { additionalProperties: true, description: "the sender's packet with the server's fields in front" },
);
export type Message = Static<typeof Message>;

/** Is the packet a stored message, and no notice? */
export function isStoredMessage(packet: Readonly<Record<string, unknown>>): packet is Message {
  const { conv, seq, from, content } = packet;
  const isPlaced = typeof conv === "string" && typeof seq === "number" && typeof from === "string";
  return isPlaced && typeof content === "object" && content !== null;
}

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
    status: Type.Optional(Type.String({ description: "the profile's status text" })),
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

/** How one user has a conversation: for itself, on all its devices. What is not set is absent. */
export const ConversationSettings = Type.Object({
  pinnedAt: Type.Optional(Ts),
  mutedUntil: Type.Optional(Ts),
  archived: Type.Optional(Type.Boolean()),
  markedUnread: Type.Optional(Type.Boolean({ description: "until a later message is read" })),
  name: Type.Optional(Type.String({ description: "the user's own name for it" })),
});
export type ConversationSettings = Static<typeof ConversationSettings>;

/** What a user keeps of a conversation for itself. */
export const OwnState = Type.Object({
  deletedTo: Type.Integer({ minimum: 0, description: "the user deleted everything up to here for itself" }),
  hidden: Type.Array(Type.Integer({ minimum: 1 }), { description: "and these messages behind it" }),
  settings: ConversationSettings,
});
export type OwnState = Static<typeof OwnState>;

/** To all devices of a user: what it keeps of a conversation changed. */
export const ConversationNotice = Type.Object({
  type: Type.Literal("conversation"),
  conv: Conv,
  own: OwnState,
});
export type ConversationNotice = Static<typeof ConversationNotice>;

/** To all devices of a user: a message was starred; `tags` null: no longer. */
export const StarNotice = Type.Object({
  type: Type.Literal("star"),
  conv: Conv,
  seq: Type.Integer({ minimum: 1 }),
  tags: Type.Union([Type.Array(Type.String()), Type.Null()]),
});
export type StarNotice = Static<typeof StarNotice>;

/** To all devices of a user: a thread was read, or is followed or not. */
export const ThreadNotice = Type.Object({ type: Type.Literal("thread"), conv: Conv, thread: ThreadState });
export type ThreadNotice = Static<typeof ThreadNotice>;

/** What a user has begun to write. */
export const Draft = Type.Object({
  conv: Conv,
  text: Type.String(),
  reply: Type.Optional(Type.Integer({ minimum: 1, description: "seq of the message to be answered" })),
  at: Ts,
});
export type Draft = Static<typeof Draft>;

/** To all devices of a user: a draft changed; `draft` null: it is gone. */
export const DraftNotice = Type.Object({
  type: Type.Literal("draft"),
  conv: Conv,
  draft: Type.Union([Draft, Type.Null()]),
});
export type DraftNotice = Static<typeof DraftNotice>;

/** In place of a packet larger than the device takes (its Maximum Packet Size): what could be read of it. */
export const TooLargeNotice = Type.Object({
  type: Type.Literal("too_large"),
  conv: Type.Optional(Conv),
  seq: Type.Optional(Type.Integer({ minimum: 1 })),
  bytes: Type.Integer({ minimum: 1, description: "size of the packet it stands for" }),
});
export type TooLargeNotice = Static<typeof TooLargeNotice>;

/** To all devices of who uploaded a file: what is made of it is known. It may be lost, `attachments.info` has it. */
export const AttachmentNotice = Type.Object({ type: Type.Literal("attachment"), attachment: Attachment });
export type AttachmentNotice = Static<typeof AttachmentNotice>;

/** An answer to a request: result or error, with the request's id. */
export const AnswerPacket = Type.Object({
  id: Type.Optional(Type.Union([Type.String(), Type.Integer(), Type.Null()])),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
});
export type AnswerPacket = Static<typeof AnswerPacket>;

/** What the server says besides messages and answers, each with its own `type`: no message of a device may have one of these. */
export const notices = {
  receiptNotice: ReceiptNotice,
  invitation: InvitationNotice,
  rosterChanged: RosterNotice,
  conversation: ConversationNotice,
  star: StarNotice,
  draft: DraftNotice,
  scheduled: ScheduledNotice,
  attachment: AttachmentNotice,
  thread: ThreadNotice,
  tooLarge: TooLargeNotice,
  typingNotice: TypingNotice,
  presence: PresenceNotice,
  ack: AckPacket,
  nack: NackPacket,
} as const;
export type Notice = Static<(typeof notices)[keyof typeof notices]>;

export type DownlinkPacket = Message | Notice | AnswerPacket;
