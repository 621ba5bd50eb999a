// What a room is on the log: its settings, the events that change it, and what api asks of history about it.
import Type, { type Static } from "typebox";
import { AppError } from "./errors.ts";
import { AnyClientId, parseConv, RoomId, Uid, uidNamedBy } from "./ids.ts";
import { limits } from "./limits.ts";
import type { Expiry } from "./packets/expiry.ts";

const strict = { additionalProperties: false } as const;

export const RoleName = Type.Union([Type.Literal("owner"), Type.Literal("admin"), Type.Literal("member")]);
export type Role = Static<typeof RoleName>;

/** What a member may: read what is said in the room, write in it, or both. */
export const MemberMode = Type.Union([Type.Literal("read-write"), Type.Literal("read"), Type.Literal("write")], {
  description:
    "read-write: the default; read: may not write; write: may write, and reads nothing of what is said from then on",
});
export type MemberMode = Static<typeof MemberMode>;

/** The same of a member who does not both read and write. */
export const OneSidedMode = Type.Union([Type.Literal("read"), Type.Literal("write")]);
export type OneSidedMode = Static<typeof OneSidedMode>;

/** A room that gets what is said in another one. */
export const NestedRoom = Type.Object(
  {
    id: RoomId,
    mode: Type.Optional(
      Type.Union(OneSidedMode.anyOf, {
        description:
          "read: gets what is said here, and nothing of it comes here; write: gets nothing; absent: gets it, and may be heard here",
      }),
    ),
  },
  strict,
);
export type NestedRoom = Static<typeof NestedRoom>;

/** Of several members those who do not both read and write. */
export interface MemberModes {
  read?: string[];
  write?: string[];
}

/** Of members who are in a room with some of their devices only: uid → client ids. */
export const MemberDevices = Type.Record(
  Uid,
  Type.Array(AnyClientId, { minItems: 1, maxItems: limits.memberDevices, uniqueItems: true }),
  {
    description:
      "of the users those who are there with some of their devices only: these hear and write there, no other",
  },
);
export type MemberDevices = Static<typeof MemberDevices>;

/** Why these cannot be devices of those users: a client id says whose it is. */
export function refuseDevices(devices: Readonly<MemberDevices>): AppError | undefined {
  for (const [uid, named] of Object.entries(devices)) {
    const foreign = named.find((clientId) => uidNamedBy(clientId) !== uid);
    if (foreign !== undefined)
      return new AppError("invalid_packet", `devices: ${foreign.slice(0, 80)} is no client id of ${uid}`);
  }
  return undefined;
}

/** What is named for a user, who may be called as what every object has. */
export function devicesNamed<Devices>(devices: Readonly<Record<string, Devices>> | undefined, uid: string) {
  return devices !== undefined && Object.hasOwn(devices, uid) ? devices[uid] : undefined;
}

/** Is or was the member there with this device? `devices`: the only ones it is there with. `clientId` undefined: the user itself asks. */
export function isThereWith({ devices }: { devices?: readonly string[] }, clientId: string | undefined): boolean {
  return devices === undefined || clientId === undefined || devices.includes(clientId);
}

/** In place of a client id: all devices that are not named. No client id that names a user is so. */
export const otherDevices = "*";

/** `device` of what comes without one, as over HTTP with a server's key. */
export const withoutDevice = "api";

/** How somebody who is no member stands to a room. */
export const StandingName = Type.Union([Type.Literal("banned"), Type.Literal("invited"), Type.Literal("asking")]);
export type Standing = Static<typeof StandingName>;

/** What a user wants when it is invited to rooms. */
export const RoomInvitations = Type.Union([Type.Literal("add"), Type.Literal("ask")], {
  description: "add: is a member at once when it is invited to a room; ask: is asked first",
});

function least(what: string, role: Role) {
  return Type.Optional(Type.Union(RoleName.anyOf, { description: `the least role that may ${what}; default ${role}` }));
}

/** What owners and admins choose; a setting that is absent is the default. */
export const RoomSettings = Type.Object(
  {
    join: Type.Optional(
      Type.Union([Type.Literal("open"), Type.Literal("ask"), Type.Literal("invite")], {
        description: "how others become members: by joining, by asking, by invitation only; default invite",
      }),
    ),
    invitations: Type.Optional(
      Type.Union([Type.Literal("add"), Type.Literal("ask")], {
        description: "whether who is invited is a member at once or when it accepts; default add",
      }),
    ),
    history: Type.Optional(
      Type.Union([Type.Literal("joined"), Type.Literal("all")], {
        description: "what those who join from now on may read: from then on, or everything; default joined",
      }),
    ),
    write: least(
      "write (admin or owner: a broadcast room, of up to 100,000 members; others have up to 10,000)",
      "member",
    ),
    invite: least("invite", "admin"),
    pin: least("pin messages", "admin"),
    mentionAll: least("mention all", "admin"),
    slowModeSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 86_400,
        description: "how long a member waits between two messages; default 0. Owners and admins do not wait",
      }),
    ),
    messagesPerSecond: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000,
        description: "how many messages are taken in a second, of all members together; default 0: no bound",
      }),
    ),
    leastMembers: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description:
          "when somebody leaves, is removed or refuses to come in and fewer are left, nested rooms included, the room is deleted; default 0",
      }),
    ),
  },
  strict,
);
export type RoomSettings = Static<typeof RoomSettings>;

/** What a change of a room is answered with. */
export const RoomChanged = Type.Object({
  seq: Type.Integer({ description: "seq of the entry; 0 when nothing changed" }),
});

/** The room as an event leaves it, whole: who reads the last event needs no other. */
export interface RoomState {
  nick?: string;
  avatar?: string;
  description?: string;
  topic?: string;
  group?: string;
  settings: RoomSettings;
  archived?: true;
  deleted?: true;
  /** it is a topic of guests: who is no member writes in it too, and devices that subscribe its topic hear it; nobody owns it */
  guests?: true;
  /** rooms that what is said here goes on to */
  nested?: NestedRoom[];
  /** invite links that are good; not among what members see */
  links?: RoomLink[];
}

/** True where anybody may join or ask to: such a room is shown to everybody. `room`: absent, there is none or it is older. */
export function isJoinable(room: Pick<RoomState, "settings" | "deleted"> | undefined): boolean {
  const { join } = room?.settings ?? {};
  return !room?.deleted && (join === "open" || join === "ask");
}

/** One answer for a room that is not there and for one that the asker may not know of. */
export function noRoom(id: string): AppError {
  return new AppError("not_found", `there is no room ${id}`);
}

/** The same by the name of a conversation. */
export function noConversation(conv: string): AppError {
  const parsed = parseConv(conv);
  return parsed?.kind === "room" ? noRoom(parsed.roomId) : new AppError("not_found", "no such conversation");
}

/** An invite link. Its secret is known to whom it was given. */
export interface RoomLink {
  id: string;
  /** SHA-256 (hex) of the secret */
  hash: string;
  createdBy: string;
  createdAt: number;
  /** unix ms */
  expiresAt?: number;
  /** how many users it lets in */
  uses?: number;
}

/** What `update` changes; null takes a text away. */
export interface RoomPatch {
  name?: string | undefined;
  nick?: string | null | undefined;
  avatar?: string | null | undefined;
  description?: string | null | undefined;
  topic?: string | null | undefined;
  group?: string | null | undefined;
  settings?: RoomSettings | undefined;
}

const ways: Readonly<Partial<Record<MembershipEvent["event"], "in" | "out">>> = {
  create: "in",
  invite: "in",
  join: "in",
  admit: "in",
  leave: "out",
  remove: "out",
  ban: "out",
  block: "out",
};

/** Do those whom an event is about come in by it, or go out? undefined: neither. */
export function wayOf(event: string | undefined): "in" | "out" | undefined {
  return event !== undefined && Object.hasOwn(ways, event) ? ways[event as MembershipEvent["event"]] : undefined;
}

/** The `event` of a membership entry in the log, and the `content.data` its members see. */
export interface MembershipEvent {
  event:
    | "create"
    | "invite"
    | "join"
    | "leave"
    | "remove"
    | "role"
    | "transfer"
    | "ban"
    | "unban"
    | "mute"
    | "mode"
    | "devices"
    | "unmute"
    | "update"
    | "archive"
    | "unarchive"
    | "delete"
    | "ask"
    | "admit"
    | "refuse"
    | "block"
    | "unblock"
    | "link"
    | "unlink"
    | "nest"
    | "unnest"
    | "pin"
    | "unpin"
    | "expiry";
  by: string;
  /** whom it is about */
  uids: string[];
  /** the role the uids have from here on; default `member` */
  role?: Role;
  /** the room's name from here on */
  name?: string;
  /** the room from here on */
  room?: RoomState;
  /** how many members there are from here on */
  members?: number;
  /** leave, block: who is an owner from here on, when the last one left */
  owner?: string;
  /** invite: who is asked, and a member when it accepts */
  invited?: string[];
  /** invite, join, admit: who becomes a member may read everything */
  fromStart?: true;
  /** mute: unix ms; null: until it is taken back */
  until?: number | null;
  /** create, invite: those of the uids, or of those invited, who do not both read and write */
  modes?: MemberModes;
  /** nest, unnest: the rooms it is about */
  rooms?: string[];
  /** mode: what the uids may from here on; nest: what the rooms may, where that was said */
  mode?: MemberMode;
  /**
   * create, invite, join, admit: with which devices alone users come in, and of members which come to those they have (null: all
   * that are lacking). devices: those that come in or go out; remove, leave: with the last of which the member went.
   */
  devices?: Readonly<Record<string, string[] | null>>;
  /** devices: whether these come in or go out */
  way?: "in" | "out";
  /** join: the link that let the user in */
  link?: string;
  /** pin, unpin: the message it is about */
  seq?: number;
  /** pin, unpin: all pins of the conversation from here on, oldest first; not among what members see */
  pins?: readonly Pin[];
  /** expiry: when messages disappear from here on that say nothing themselves; null: not at all */
  expiry?: Expiry | null;
}

/** A message that is pinned in its conversation. */
export const Pin = Type.Object({
  seq: Type.Integer({ minimum: 1, description: "of the message" }),
  by: Uid,
  at: Type.Integer({ description: "unix ms" }),
});
export type Pin = Static<typeof Pin>;

/** `history.change.{holder}`: one change of a room, or of a conversation's pins, decided at the log. */
export interface ChangeRequest {
  conv: string;
  /** idempotency id, with `device` and `event.by` */
  id: string;
  device: string;
  origin: string;
  event: MembershipEvent;
  /** the room was made open, by a version that kept its settings elsewhere */
  open?: boolean;
  /** update: what is to change */
  patch?: RoomPatch;
  /** invite: users who are to be asked, whatever the room's setting */
  askFirst?: string[];
  /** invite: who does not take it is left out, in place of a refusal */
  passOver?: true;
  /** ban: those of its users who are none as far as the asker may know: the room has to know them */
  unseen?: string[];
  /** unnest: those of its rooms of which the asker is an owner or admin */
  manages?: string[];
  /** join: SHA-256 (hex) of the link's secret */
  linkHash?: string;
  /** link: the new one; unlink: the one with this `id` */
  link?: RoomLink;
}

/** `seq` of the entry; `changed` are the uids whose membership it changed (none: nothing was appended). */
export interface ChangeReply {
  seq: number;
  ts: number;
  changed: string[];
  /** those who are asked first */
  invited?: string[];
  /** those of the changed who were members: more of their devices came in */
  more?: string[];
  /** nest, unnest: the rooms that it changed */
  rooms?: string[];
  /** join: the caller asks to be let in, and is not a member yet */
  asking?: true;
}

/** `history.rooms`: rooms as this user may see them: `convs` (at most 20), else a page of the user's own, by their names. */
export interface RoomsRequest {
  uid: string;
  /** the device that asks: where the user is with others only, it is no member; absent: the user itself */
  clientId?: string;
  convs?: string[];
  /** of its own those it is a member of, or those it is invited to or asks to be let into; default both */
  which?: "member" | "pending";
  /** the `next` of the page before */
  after?: string;
  /** at most 500, the default */
  limit?: number;
}

/** A page has at most `limits.pageBytes`, and no links of its rooms. */
export interface RoomsReply {
  rooms: RoomView[];
  /** absent: this was the last page. A page may be empty and not the last one. */
  next?: string;
}

/** A room as the log has it, and how the user stands to it. */
export interface RoomView {
  conv: string;
  name: string;
  /** absent: made by a version that kept it elsewhere */
  room?: RoomState;
  /** how many members it has; absent: made by a version that did not count */
  members?: number;
  /** the user is or was a member, or is or was asked, banned or the like */
  isKnown?: true;
  /** absent: no member */
  member?: { role: Role; joinSeq: number; mutedUntil?: number | null; mode?: OneSidedMode; devices?: string[] };
  standing?: Standing;
  /** standing invited: by whom */
  by?: string;
}
