// Profile/…: a phone with its accounts. Person/…: an account as an older program has it.
import { AppError } from "../../../errors.ts";
import { accountRemove } from "../../../methods/account-life.ts";
import { emailsConfirm, emailsLink, phonesConfirm, phonesMigrate } from "../../../methods/phones.ts";
import { profileUpdate, usersGet } from "../../../methods/users.ts";
import { ok, refusal } from "../device/answers.ts";
import { nameOf, namesOf } from "../device/contacts.ts";
import { accountOf, type Call, type Device, entryOf } from "../device/device.ts";
import { changeStored, readStored } from "../device/storage.ts";
import { type person, person as personKind, profile } from "../records/people.ts";
import type { RecordOf } from "../records/record.ts";
import { profileOf, readRoster, sayProfile } from "../written/accounts.ts";

type Profile = RecordOf<typeof profile>;
type Person = RecordOf<typeof person>;

const acts: Readonly<Record<string, (device: Device, record: Profile) => Promise<void>>> = {
  get,
  init: get,
  update: set,
  set,
  patch: set,
  // Files go over HTTP or ftp: there is no bucket to lend.
  aws: (device) => device.answer(refusal("aws")),
  link,
  email: confirmEmail,
  remove,
  delete: remove,
  async migrate(device, { phone = "" }) {
    await device.parley.call(phonesMigrate, { phone });
    await device.answer(ok("migration"));
  },
  phone: confirmPhone,
};

/** A phone of nobody else's; migration names the new one. */
export async function takeProfile({ device }: Call, record: Profile): Promise<void> {
  const { status = "get", phone } = record;
  const act = entryOf(acts, status);
  if (!act) return device.refuse(new AppError("invalid_packet"));
  const isOwn = phone === undefined || phone === device.phone || device.accounts.some(({ uid }) => uid === phone);
  if (!isOwn && status !== "migrate" && status !== "phone") return device.refuse(new AppError("unauthenticated"));
  try {
    await act(device, record);
  } catch (error) {
    await device.refuse(AppError.from(error), { unauthenticated: "wrong_code", forbidden: "attempts_expired" });
  }
}

/** Also what a device is greeted with (`init`). */
export async function get(device: Device, { status = "get" }: Profile): Promise<void> {
  const [rosters, stored] = await Promise.all([
    Promise.all(device.accounts.map((account) => readRoster(device, account))),
    readStored(device, device.tree.uid),
  ]);
  await sayProfile(device, profileOf(device, rosters, status, stored.settings));
}

/** Settings and services are kept as they are given; rosters have calls of their own. */
async function set(device: Device, record: Profile): Promise<void> {
  const { settings } = record;
  if (settings !== undefined)
    await changeStored(device, device.tree.uid, (stored) => {
      stored.settings = settings.map(({ tup: _, ...feature }) => feature);
    });
  const update = record.status === "set" ? Date.now() : (record.update ?? Date.now());
  await device.answer(profile.write({ ...record, phone: device.phone, update }, device.set));
}

async function remove(device: Device, record: Profile): Promise<void> {
  await device.answer(profile.write({ tup: "Profile", phone: device.phone, status: record.status }, device.set));
  for (const { uid } of device.accounts.toReversed()) await device.parley.call(accountRemove, {}, { as: uid });
}

async function link(device: Device, { services = [] }: Profile): Promise<void> {
  const [service] = services;
  await device.parley.call(emailsLink, { email: service?.login ?? service?.id ?? "" });
  await device.answer(ok("email_sent"));
}

async function confirmEmail(device: Device, { services = [], settings = [] }: Profile): Promise<void> {
  const { email } = await device.parley.call(emailsConfirm, { code: codeIn(services, settings) });
  await changeStored(device, device.tree.uid, (stored) => {
    stored.email = email;
  });
  await device.answer(ok("verified"));
}

/** The code stands where a service has its password, or its data. */
function codeIn(services: NonNullable<Profile["services"]>, settings: NonNullable<Profile["settings"]>): string {
  const [service] = services;
  const { data } = service ?? {};
  const said = data instanceof Uint8Array ? new TextDecoder().decode(data) : undefined;
  return service?.password ?? said ?? settings[0]?.value ?? "";
}

/** So does that of the new phone. */
async function confirmPhone(device: Device, { phone = "", services = [], settings = [] }: Profile): Promise<void> {
  await device.parley.call(phonesConfirm, { phone, code: codeIn(services, settings) });
  await device.answer(ok("migration"));
}

export async function takePerson({ device }: Call, record: Person): Promise<void> {
  const { status = "get", id } = record;
  const account = accountOf(device, id);
  if (status !== "get" && (status !== "set" || !account)) return device.refuse(new AppError("unauthenticated"));
  try {
    if (status === "set") await setPerson(device, record, account?.uid ?? "");
    const uid = account?.uid ?? id ?? "";
    const found = await device.parley.call(usersGet, { uid });
    const kept = account ? (await readStored(device, account.uid)).person : {};
    const [names, surnames] = namesOf(found.name);
    const shown = { id: uid, names, surnames, username: found.nick || undefined, avatar: found.avatar || undefined };
    const phonelist = account ? [device.phone] : undefined;
    await device.answer(personKind.write({ ...kept, ...shown, phonelist, tup: "Person", status }, device.set));
  } catch (error) {
    await device.refuse(AppError.from(error), { not_found: "not_authorized" });
  }
}

/** What is text and has no place in a profile is kept for the account. */
const keptFields = ["ThemeID", "voxImplantID", "voxImplantLogin", "BlockUsers"] as const;

async function setPerson(device: Device, record: Person, as: string): Promise<void> {
  const { names, surnames, username, avatar } = record;
  const changes = {
    ...(names === undefined && surnames === undefined ? {} : { name: nameOf(names, surnames) }),
    ...(username === undefined ? {} : { nick: username }),
    ...(avatar === undefined ? {} : { avatar }),
  };
  if (Object.keys(changes).length > 0) await device.parley.call(profileUpdate, changes, { as });
  const kept = Object.fromEntries(
    keptFields.flatMap((name) => (record[name] === undefined ? [] : [[name, record[name]]])),
  );
  if (Object.keys(kept).length === 0) return;
  await changeStored(device, as, (stored) => {
    stored.person = { ...stored.person, ...kept };
  });
}
