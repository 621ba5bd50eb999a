// Friend/…: the two rosters of a friendship.
import { AppError } from "../../../errors.ts";
import type { ResultOf } from "../../../methods/method.ts";
import {
  rosterBlock,
  rosterConfirm,
  rosterMute,
  rosterRefuse,
  rosterRequest,
  rosterRevoke,
  rosterUnblock,
  rosterUnmute,
} from "../../../methods/roster.ts";
import { Atom } from "../bert/term.ts";
import { io, tuple } from "../device/answers.ts";
import { contactOf } from "../device/contacts.ts";
import { accountOf, type Call, type Device, entryOf } from "../device/device.ts";
import { contact, type friend } from "../records/people.ts";
import type { RecordOf } from "../records/record.ts";

interface Act {
  method: typeof rosterBlock | typeof rosterConfirm | typeof rosterMute | typeof rosterRequest | typeof rosterRevoke;
  /** what the Contact is told with, where it is not how it stands */
  status?: (device: Device) => string;
  /** answered with how it went on both sides */
  pair?: "before" | "behind";
}

/** Behind its Contact the io of confirm and ban comes, before it that of unban. */
const acts: Readonly<Record<string, Act>> = {
  request: { method: rosterRequest as Act["method"] },
  confirm: { method: rosterConfirm as Act["method"], pair: "behind" },
  revoke: { method: rosterRevoke as Act["method"], status: () => "revoke" },
  ignore: { method: rosterRefuse as Act["method"], status: () => "ignore" },
  ban: { method: rosterBlock as Act["method"], pair: "behind" },
  unban: {
    method: rosterUnblock as Act["method"],
    status: ({ set }) => (set === "v1" ? "unbanned" : "friend"),
    pair: "before",
  },
  mute: { method: rosterMute as Act["method"], status: () => "muted" },
  unmute: { method: rosterUnmute as Act["method"], status: () => "unmuted" },
};

export async function takeFriend({ device }: Call, record: RecordOf<typeof friend>): Promise<void> {
  const { phone_id, friend_id, status = "" } = record;
  const as = accountOf(device, phone_id);
  if (!as) return device.refuse(new AppError("forbidden"));
  if (friend_id === undefined) return device.refuse(new AppError("invalid_packet"));
  // Settings of a contact are told nobody: they are the device's own.
  if (status === "update") return device.answer(io(tuple("ok", new Atom("added"))));
  const act = entryOf(acts, status);
  if (!act) return device.refuse(new AppError("invalid_packet"));
  const word = act.status?.(device);
  const changed = await device.told.during(friend_id, word, () =>
    change(device, act, { as: as.uid, friend: friend_id }),
  );
  if (changed instanceof AppError) return device.refuse(changed, { not_found: "contact_not_found" });
  const added = tuple("ok", new Atom("added"));
  if (act.pair === "before") await device.answer(io(added, added));
  if (device.told.isNews(changed)) {
    const told = contactOf(device, changed, word);
    await device.say(device.ses, contact.write(told, device.set));
  }
  if (act.pair === "behind") await device.answer(io(added, added));
}

type Contact = ResultOf<typeof rosterBlock>;

async function change(
  { parley }: Device,
  { method }: Act,
  { as, friend }: { as: string; friend: string },
): Promise<Contact | AppError> {
  const done = await parley.call(method, { id: friend }, { as }).catch(AppError.from);
  // Who was asked takes nothing back, but refuses.
  const isAsked = done instanceof AppError && done.code === "not_found" && method.name === rosterRevoke.name;
  return isAsked ? parley.call(rosterRefuse, { id: friend }, { as }).catch(AppError.from) : done;
}
