// The records of rooms.
import { anything, atom, int, list, text, time } from "./kinds.ts";
import { desc, feature, feed, message } from "./messages.ts";
import { type RecordOf, record } from "./record.ts";

const who = {
  id: int(),
  container: atom("chain"),
  feed_id: feed,
  prev: int(),
  next: int(),
  feeds: anything,
  phone_id: text,
  avatar: text,
  names: text,
  surnames: text,
  alias: text,
};

export const member = record(
  "Member",
  {
    ...who,
    email: text,
    vox_id: text,
    reader: int(0),
    update: int(0),
    settings: list(feature),
    presence: atom(),
    status: atom(),
  },
  {
    ...who,
    reader: int(0),
    update: int(0),
    settings: list(feature),
    services: anything,
    presence: atom(),
    status: atom(),
  },
);
export type Member = RecordOf<typeof member>;

/** A name by which a room is joined, of the late set. */
export const roomLink = record("Link", {
  id: text,
  name: text,
  room_id: text,
  created: time,
  type: atom(),
  status: atom(),
});

export const room = record(
  "Room",
  {
    id: text,
    name: text,
    description: text,
    settings: list(feature),
    members: list(member),
    admins: list(member),
    data: list(desc),
    type: atom(),
    tos: text,
    tos_update: int(0),
    unread: int(0),
    last_msg: message,
    update: int(0),
    created: int(0),
    status: atom(),
  },
  {
    id: text,
    name: text,
    links: list(roomLink),
    description: text,
    settings: list(feature),
    members: list(member),
    admins: list(member),
    data: list(desc),
    type: atom(),
    tos: text,
    tos_update: int(0),
    unread: int(0),
    mentions: list(int()),
    readers: list(int()),
    last_msg: message,
    update: int(0),
    created: int(0),
    status: atom(),
  },
);
export type ChatRoom = RecordOf<typeof room>;
