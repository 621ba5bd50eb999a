// One example of everything that Parley has for a device: content types, events of a room, notices. The types of these tables make
// a new kind fail the type checker until it has an example.
import type { contentKinds, MembershipEvent, notices } from "@parley/protocol";
import type { Downlink } from "@parley/protocol/dialects";

export const direct = "p2p/alice/bob";
export const room = "room/tea";

type Content = { type: string } & Record<string, unknown>;

/** unix ms of the message at a seq */
const timeOf = (seq: number) => 1_795_240_386_000 + seq * 1_000;

/** As a router hands it to a dialect. */
export function messageOf(conv: string, seq: number, from: string, content: Content, more: object = {}): Downlink {
  const to = conv === direct ? (from === "alice" ? "user/bob" : "user/alice") : conv;
  return { conv, seq, from, device: `${from}:tablet`, ts: timeOf(seq), id: `m${seq}`, to, content, ...more };
}

/** What the others are about: a text of alice at 12, a poll at 13, a text of bob at 11. What is older bob may not read. */
export function earlier(conv: string, seq: number): Downlink | undefined {
  if (seq < 11) return undefined;
  if (seq === 13) return messageOf(conv, seq, "alice", contents.poll);
  if (seq === 11) return messageOf(conv, seq, "bob", { type: "text", data: "at one?" });
  return messageOf(conv, seq, "alice", { type: "text", data: "shall we have lunch?" });
}

const file = `f-${"a".repeat(32)}`;

export const contents: Record<keyof typeof contentKinds, Content> = {
  text: { type: "text", data: "hi" },
  image: { type: "image", file, name: "cat.png", size: 48_213, width: 640, height: 480, data: "my cat" },
  audio: { type: "audio", file, voice: true, durationMs: 5_000 },
  video: { type: "video", file, name: "cat.mp4", size: 5_120_000, durationMs: 65_000 },
  file: { type: "file", file, name: "menu.pdf", size: 20_480 },
  location: { type: "location", latitude: 52.5, longitude: 13.4, name: "Café", address: "1 Main Street" },
  contact: { type: "contact", name: "Carol Reed", uid: "carol", phones: ["+49 30 1"] },
  sticker: { type: "sticker", url: "https://stickers.example/tea.webp", emoji: "🍵", pack: "drinks" },
  call: { type: "call", media: "audio", outcome: "answered", durationMs: 61_000 },
  poll: { type: "poll", question: "Where to?", options: ["Berlin", "Paris"] },
  vote: { type: "vote", seq: 13, options: [0] },
  close: { type: "close", seq: 13 },
  edit: { type: "edit", seq: 12, data: "shall we have dinner?" },
  recall: { type: "recall", seq: 12 },
  reaction: { type: "reaction", seq: 12, data: "👍" },
};

/**
 * Beside the table: a call that rings, an application's own type, one of a later version, what is left of a message that is gone, and changes of
 * messages of before the reader came.
 */
export const otherContents: Record<string, Content> = {
  "call that rings": { type: "call", media: "video", outcome: "ringing", call: "c-1" },
  "x-weather": { type: "x-weather", celsius: 21 },
  hologram: { type: "hologram", data: "of a later version" },
  erased: { type: "erased" },
  "edit of a message that bob may not read": { type: "edit", seq: 2, data: "shall we have dinner?" },
  "recall of a message that bob may not read": { type: "recall", seq: 2 },
};

export const settings: Record<string, object> = {
  "an answer to a message": { reply: 12 },
  "a forwarded message": { forwarded: { from: "carol", ts: timeOf(5) } },
  "a message of a guest, with a nick": { from: "chat", nick: "Joe" },
};

type Event = Omit<MembershipEvent, "event">;
const alice = { by: "alice", uids: [] };
const aboutCarol: Event = { by: "alice", uids: ["carol"] };
const byCarol: Event = { by: "carol", uids: ["carol"] };

export const events: Record<MembershipEvent["event"], Event> = {
  create: { by: "alice", uids: ["bob", "carol"], name: "Tea" },
  invite: { ...aboutCarol, members: 3 },
  join: byCarol,
  leave: byCarol,
  remove: aboutCarol,
  role: { ...aboutCarol, role: "admin" },
  transfer: { ...aboutCarol, role: "owner" },
  ban: aboutCarol,
  unban: aboutCarol,
  mute: { ...aboutCarol, until: null },
  mode: { ...aboutCarol, mode: "read" },
  devices: { ...aboutCarol, way: "in", devices: { carol: ["carol:phone"] } },
  unmute: aboutCarol,
  update: { ...alice, name: "Green tea", room: { settings: {}, topic: "no coffee" } },
  archive: alice,
  unarchive: alice,
  delete: alice,
  ask: byCarol,
  admit: aboutCarol,
  refuse: aboutCarol,
  block: byCarol,
  unblock: byCarol,
  link: alice,
  unlink: alice,
  nest: { ...alice, rooms: ["cake"] },
  unnest: { ...alice, rooms: ["cake"] },
  pin: { ...alice, seq: 12 },
  unpin: { ...alice, seq: 12 },
  expiry: { ...alice, expiry: { seconds: 60, from: "read" } },
};

/** By these carol is in the room, if she is in it at all; before the others she has joined. */
export const comesIn: ReadonlySet<string> = new Set(["create", "invite", "join", "admit", "ask"]);

/** Something that is told; `before`: what the device was told first. */
export interface Notice {
  title: string;
  packet: Downlink;
  before?: Downlink[];
}

const delivered = { type: "receipt", conv: direct, uid: "alice", delivered: 11, read: 0 };
const typing = { type: "typing", conv: direct, uid: "alice" };
const presence = { type: "presence", uid: "alice", lastSeen: null };
const names = { id: "alice", name: "Alice Ray", nick: "Al", group: "", avatar: "", note: "", tags: [] };
const contact = { ...names, relation: "contact", blocked: false, muted: false, changedAt: timeOf(9) };
const thread = { seq: 12, count: 2, lastSeq: 19, unread: 1, following: true, readSeq: 15 };
const place = { url: `/attachments/${file}`, name: "cat.png", size: 48_213, mime: "image/png" };

export const told: Record<keyof typeof notices, Notice[]> = {
  receiptNotice: [
    { title: "delivered: alice's device has a message of bob's", packet: delivered },
    { title: "read: alice has read it", packet: { ...delivered, read: 11 }, before: [delivered] },
    {
      title: "read, in a room",
      packet: { ...delivered, conv: room, read: 11 },
      before: [{ ...delivered, conv: room }],
    },
  ],
  typingNotice: ["composing", "recording", "paused"].map((state) => ({
    title: `typing: ${state}`,
    packet: { ...typing, state },
  })),
  presence: [
    { title: "presence: online", packet: { ...presence, show: "online" } },
    { title: "presence: away", packet: { ...presence, show: "away", status: "at lunch" } },
    { title: "presence: dnd", packet: { ...presence, show: "dnd" } },
    { title: "presence: offline", packet: { ...presence, show: "offline", lastSeen: timeOf(10) } },
  ],
  invitation: [
    {
      title: "an invitation to a room",
      packet: { type: "invitation", id: "tea", conv: room, name: "Tea", by: "alice" },
    },
  ],
  rosterChanged: [
    { title: "a contact", packet: { type: "roster.changed", contact } },
    {
      title: "somebody asks to be a contact",
      packet: { type: "roster.changed", contact: { ...contact, relation: "pending" } },
    },
  ],
  nack: [
    {
      title: "a refusal of a native packet of the device",
      packet: { type: "nack", id: "m9", code: "not_found", message: "there is no user nobody" },
    },
  ],
  ack: [{ title: "an ack of a native packet", packet: { type: "ack", id: "m9", conv: direct, seq: 9, ts: timeOf(9) } }],
  conversation: [
    {
      title: "the user's own settings of a conversation",
      packet: { type: "conversation", conv: direct, own: { deletedTo: 0, hidden: [], settings: { archived: true } } },
    },
  ],
  star: [{ title: "a starred message", packet: { type: "star", conv: direct, seq: 12, tags: [] } }],
  draft: [{ title: "a draft", packet: { type: "draft", conv: direct, draft: null } }],
  scheduled: [
    {
      title: "a message that is to be sent later",
      packet: { type: "scheduled", id: "m8", conv: direct, at: timeOf(99), state: "waiting" },
    },
  ],
  attachment: [
    {
      title: "a file of the user is ready",
      packet: { type: "attachment", attachment: { id: file, ...place, hash: `sha256:${"0".repeat(64)}` } },
    },
  ],
  thread: [{ title: "a thread was read", packet: { type: "thread", conv: room, thread } }],
  tooLarge: [
    {
      title: "in place of a packet that is too large",
      packet: { type: "too_large", conv: direct, seq: 12, bytes: 300_000 },
    },
  ],
};
