// Roster/…: the accounts of a phone.
import { AppError } from "../../../errors.ts";
import { accountRemove } from "../../../methods/account-life.ts";
import { phonesAddAccount } from "../../../methods/phones.ts";
import { rosterAdd, rosterRemove } from "../../../methods/roster.ts";
import { profileGet, profileUpdate, usersSearch } from "../../../methods/users.ts";
import { binary, io, type OwnWords, ok, ok2, refusal } from "../device/answers.ts";
import { contactOf, contactOfUser, nameOf, namesOf } from "../device/contacts.ts";
import { type Account, accountOf, type Call, type Device, entryOf } from "../device/device.ts";
import { phoneOf } from "../device/names.ts";
import { changeStored, readStored } from "../device/storage.ts";
import { contact, type Roster, roster } from "../records/people.ts";
import { readRoster, rosterOf, sayRoster } from "../written/accounts.ts";

interface Asked {
  account: Account;
  record: Roster;
}

interface Act {
  work(device: Device, asked: Asked): Promise<void>;
  /** what its errors are called */
  words?: OwnWords;
  /** what it is called that the account is none of the device's */
  unknown: string;
}

const acts: Readonly<Record<string, Act>> = {
  get: { work: get, unknown: "roster_not_found" },
  update: { work: patch, unknown: "roster_not_found" },
  patch: { work: patch, unknown: "not_found" },
  nick: { work: nick, words: { invalid_packet: "invalid_nick" }, unknown: "not_found" },
  add: { work: add, words: { not_found: "contacts_not_found" }, unknown: "roster_not_found" },
  del: { work: del, words: { not_found: "contacts_not_found" }, unknown: "roster_not_found" },
  remove: { work: remove, unknown: "roster_not_found" },
};

export async function takeRoster({ device }: Call, record: Roster): Promise<void> {
  const { status = "get", id } = record;
  if (status === "create") return caught(device, create(device, record));
  if (status === "list") return device.answer(io(device.accounts.map(({ roster }) => roster)));
  const act = entryOf(acts, status);
  if (!act) return device.refuse(new AppError("invalid_packet"));
  const account = accountOf(device, id);
  if (!account) return device.answer(refusal(act.unknown));
  await caught(device, act.work(device, { account, record }), act.words);
}

async function caught(device: Device, work: Promise<void>, words?: OwnWords): Promise<void> {
  try {
    await work;
  } catch (error) {
    await device.refuse(AppError.from(error), words);
  }
}

async function get(device: Device, { account }: Asked): Promise<void> {
  await sayRoster(device, await readRoster(device, account, "get"));
}

/** What is given is changed; contacts, rooms, favourites and tags have calls of their own. */
async function patch(device: Device, { account, record }: Asked): Promise<void> {
  const { names, surnames, nick, avatar, email, status } = record;
  const as = { as: account.uid };
  const before = await device.parley.call(profileGet, {}, as);
  const [oldNames, oldSurnames] = namesOf(before.name);
  const isNamed = names !== undefined || surnames !== undefined;
  const changes = {
    ...(isNamed ? { name: nameOf(names ?? oldNames, surnames ?? oldSurnames) } : {}),
    ...(nick === undefined ? {} : { nick }),
    ...(avatar === undefined ? {} : { avatar }),
  };
  const own = Object.keys(changes).length === 0 ? before : await device.parley.call(profileUpdate, changes, as);
  if (email !== undefined)
    await changeStored(device, account.uid, (stored) => {
      stored.email = email;
    });
  const stored = await readStored(device, account.uid);
  const changed = { ...rosterOf(account, own, stored), update: Date.now(), status };
  await device.say(device.ses, roster.write({ ...changed, userlist: [contactOfUser(device, own)] }, device.set));
}

async function nick(device: Device, asked: Asked): Promise<void> {
  const { record, account } = asked;
  const wanted = record.nick ?? "";
  if (!/^[\p{L}\p{N}_.-]{1,64}$/u.test(wanted)) throw new AppError("invalid_packet");
  const { users } = await device.parley.call(usersSearch, { query: wanted }, { as: account.uid });
  const isTaken = users.some(({ uid, nick }) => uid !== account.uid && nick.toLowerCase() === wanted.toLowerCase());
  if (isTaken) return device.answer(refusal("nick"));
  await patch(device, { account, record: { tup: "Roster", nick: wanted, status: "nick" } });
}

async function add(device: Device, { account, record }: Asked): Promise<void> {
  const ids = phoneIds(record);
  const known = new Set((await readRoster(device, account)).userlist?.map(({ phone_id }) => phone_id));
  const news = ids.filter((id) => !known.has(id));
  if (news.length === 0) return device.answer(ok2("already_present", ids.map(binary)));
  for (const id of news) {
    const entry = await device.parley.call(rosterAdd, { id }, { as: account.uid });
    if (device.told.isNews(entry)) await device.say(device.ses, contact.write(contactOf(device, entry), device.set));
  }
  await device.answer(ok("added"));
}

async function del(device: Device, { account, record }: Asked): Promise<void> {
  const ids = phoneIds(record);
  for (const id of ids) await device.parley.call(rosterRemove, { id }, { as: account.uid });
  await device.answer(ok2("removed", ids.map(binary)));
}

function phoneIds({ userlist = [] }: Roster): string[] {
  const ids = userlist.flatMap(({ phone_id }) => phone_id ?? []);
  if (ids.length === 0) throw new AppError("invalid_packet", "userlist names nobody");
  return ids;
}

async function remove(device: Device, { account }: Asked): Promise<void> {
  await device.parley.call(accountRemove, {}, { as: account.uid });
  device.accounts = device.accounts.filter((one) => one !== account);
  await device.answer(ok("removed"));
}

/** Only a login of a phone may have further ones so. */
async function create(device: Device, record: Roster): Promise<void> {
  const { parley, tree } = device;
  const name = nameOf(record.names, record.surnames);
  const { uid } = await parley.call(phonesAddAccount, name === "" ? {} : { name });
  const { phone, roster: number = device.accounts.length + 1 } = phoneOf(uid);
  device.accounts = [...device.accounts, { uid, phone, roster: number }];
  if (!tree.accounts.includes(uid)) tree.accounts = [...tree.accounts, uid];
  await sayRoster(device, { tup: "Roster", id: number, names: record.names, phone, status: "create" });
}
