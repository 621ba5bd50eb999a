// The records of people: accounts, their contacts and settings.
import { anything, atom, int, type Kind, list, text, textOrInt } from "./kinds.ts";
import { feature, message, star, tag } from "./messages.ts";
import { type RecordOf, record } from "./record.ts";
import { room } from "./rooms.ts";

export const service = record("Service", {
  id: text,
  type: atom(),
  data: anything,
  login: text,
  password: text,
  expiration: int(),
  status: atom(),
});

/** One entry of a contact list, and what is told of one. Both sets have as many fields. */
export const contact = record(
  "Contact",
  {
    phone_id: text,
    avatar: text,
    names: text,
    surnames: text,
    nick: text,
    email: text,
    vox_id: text,
    reader: int(0),
    unread: int(0),
    last_msg: message,
    update: int(0),
    settings: list(feature),
    presence: atom(),
    status: atom(),
  },
  {
    phone_id: text,
    avatar: text,
    names: text,
    surnames: text,
    nick: text,
    reader: int(0),
    unread: int(0),
    last_msg: message,
    update: int(0),
    created: int(0),
    settings: list(feature),
    services: list(service),
    presence: atom(),
    status: atom(),
  },
);
export type ChatContact = RecordOf<typeof contact>;

/** An account of a phone. */
export const roster = record("Roster", {
  id: int(),
  names: text,
  surnames: text,
  email: text,
  nick: text,
  userlist: list(contact),
  roomlist: list(room),
  favorite: list(star),
  tags: list(tag),
  phone: text,
  avatar: text,
  update: int(0),
  status: atom(),
});
export type Roster = RecordOf<typeof roster>;

/** Some name an account by its number alone. */
const rosterOrId: Kind<Roster> = {
  read: (term, set) => (typeof term === "number" ? { tup: "Roster", id: term } : roster.read(term, set)),
  write: roster.write,
};

const profileFields = {
  phone: text,
  services: list(service),
  rosters: list(rosterOrId),
  settings: list(feature),
  update: int(0),
  balance: int(0),
  presence: atom(),
  status: atom(),
};

/** A phone, with its accounts. */
export const profile = record("Profile", profileFields, profileFields, [
  Object.keys(profileFields).filter((name) => name !== "balance"),
]);

export const person = record("Person", {
  id: text,
  names: text,
  surnames: text,
  username: text,
  phonelist: list(text),
  alias: anything,
  avatar: text,
  localize: anything,
  NotificationSettings: anything,
  SoundSettings: anything,
  ThemeID: text,
  voxImplantID: text,
  voxImplantLogin: text,
  voxImplantPassword: text,
  BlockUsers: list(text),
  balance: int(0),
  isParticipants: list(atom()),
  status: atom(),
});

export const friend = record(
  "Friend",
  { phone_id: text, friend_id: text, status: atom() },
  { phone_id: text, friend_id: text, settings: list(feature), status: atom() },
);

export const search = record("Search", {
  id: textOrInt,
  ref: text,
  field: text,
  type: atom(),
  value: anything,
  status: atom(),
});

/** Also what a late program says of itself. */
export const presence = record("Presence", { uid: text, status: atom() });
