// Search/…: people by nick or phones, a room by its id.
import { AppError } from "../../../errors.ts";
import { presenceGet } from "../../../methods/presence.ts";
import { roomsGet } from "../../../methods/rooms.ts";
import { usersGet, usersSearch } from "../../../methods/users.ts";
import { Atom, type Term, Tuple } from "../bert/term.ts";
import { binary, io } from "../device/answers.ts";
import { contactOfUser } from "../device/contacts.ts";
import { type Account, accountOf, type Call, type Device, entryOf } from "../device/device.ts";
import { text } from "../records/kinds.ts";
import { type ChatContact, roster, type search } from "../records/people.ts";
import type { RecordOf } from "../records/record.ts";
import type { ChatRoom } from "../records/rooms.ts";
import { writeRoom } from "../written/rooms.ts";

interface Asked {
  account: Account;
  values: string[];
}

interface Found {
  userlist?: ChatContact[];
  roomlist?: ChatRoom[];
}

const fields: Readonly<Record<string, (device: Device, asked: Asked) => Promise<Found>>> = {
  nick: byNick,
  name: byNick,
  username: byNick,
  phone: byPhones,
  phone_id: byPhones,
  link: byRoom,
  room: byRoom,
};

export async function takeSearch({ device }: Call, record: RecordOf<typeof search>): Promise<void> {
  const { id, ref = "", field = "nick", status } = record;
  const account = accountOf(device, id);
  const look = entryOf(fields, field);
  const values = valuesOf(record.value, device);
  if (!account || !look || values.length === 0) return device.refuse(new AppError("invalid_packet"));
  try {
    const found = await look(device, { account, values });
    const code = new Tuple([new Atom("ok"), binary(ref)]);
    await device.answer(io(code, roster.write({ tup: "Roster", id: account.roster, ...found, status }, device.set)));
  } catch (error) {
    await device.refuse(AppError.from(error));
  }
}

/** A text, or a list of them: an address book. */
function valuesOf(value: Term | undefined, { set }: Device): string[] {
  const isList = Array.isArray(value) && !value.every((one) => typeof one === "number");
  const values: readonly Term[] = isList ? (value as readonly Term[]) : value === undefined ? [] : [value];
  return values.slice(0, askedMax).flatMap((one) => text.read(one, set) ?? []);
}

/** Of one address book so many are looked for; the next search goes on. */
const askedMax = 200;

async function byNick(device: Device, { account, values }: Asked): Promise<Found> {
  const [query = ""] = values;
  const { users } = await device.parley.call(usersSearch, { query }, { as: account.uid });
  return { userlist: await Promise.all(users.map((user) => shown(device, account, user))) };
}

async function byPhones(device: Device, { account, values }: Asked): Promise<Found> {
  const found = await Promise.all(
    values.map(async (value) => {
      const phone = value.replace(/^\+/, "");
      const uid = /^\d+$/.test(phone) ? `${phone}_1` : phone;
      const user = await device.parley.call(usersGet, { uid }, { as: account.uid }).catch(AppError.from);
      return user instanceof AppError ? [] : [await shown(device, account, user)];
    }),
  );
  return { userlist: found.flat() };
}

async function byRoom(device: Device, { account, values }: Asked): Promise<Found> {
  const found = await Promise.all(
    values.map((id) => device.parley.call(roomsGet, { id }, { as: account.uid }).catch(AppError.from)),
  );
  return { roomlist: found.flatMap((one) => (one instanceof AppError ? [] : [writeRoom(one, [], undefined)])) };
}

type User = { uid: string; name: string; nick: string; avatar: string };

async function shown(device: Device, { uid: as }: Account, user: User): Promise<ChatContact> {
  const there = await device.parley.call(presenceGet, { uid: user.uid }, { as }).catch(AppError.from);
  const presence = there instanceof AppError || there.show === "offline" ? "offline" : "online";
  return { ...contactOfUser(device, user), presence, status: undefined };
}
