// What is not kept: Typing, Presence; and a place, which is sent to oneself.
import { AppError } from "../../../errors.ts";
import { Float, type Term } from "../bert/term.ts";
import { accountOf, type Call } from "../device/device.ts";
import { convOfFeed } from "../device/names.ts";
import type { typing } from "../records/messages.ts";
import type { presence } from "../records/people.ts";
import type { RecordOf } from "../records/record.ts";
import type { loc } from "../records/sessions.ts";

/** The older record names the writer and a room or the other one; the later one only the writer, on the feed's topic. */
export async function takeTyping({ device, packet }: Call, record: RecordOf<typeof typing>): Promise<void> {
  const { author, room, phone_id } = record;
  const as = accountOf(device, author ?? phone_id) ?? device.accounts[0];
  const conv = convOfTopic(packet.topic) ?? (room === undefined ? undefined : convOfTo(as?.uid ?? "", room));
  if (conv === undefined || !as) return;
  // What cannot be told now is past by the time it could be.
  await device.parley.typing({ conv, state: "composing" }, { as: as.uid }).catch(() => {});
}

function convOfTo(uid: string, to: string): string | undefined {
  const isPhoneId = /^\d{5,15}_\d+$/.test(to);
  return isPhoneId ? convOfFeed({ tup: "p2p", from: uid, to }) : convOfFeed({ tup: "muc", name: to });
}

function convOfTopic(topic: string): string | undefined {
  const [kind, one, two] = topic.split("/");
  if (kind === "p2p") return convOfFeed({ tup: "p2p", from: one, to: two });
  return kind === "room" ? convOfFeed({ tup: "muc", name: one }) : undefined;
}

/** Of later programs. */
export async function takePresence({ device }: Call, { status }: RecordOf<typeof presence>): Promise<void> {
  if (status !== "online" && status !== "offline") return device.refuse(new AppError("invalid_packet"));
  const changed = await device.parley
    .state({ show: status === "online" ? "online" : "invisible" })
    .catch((error) => AppError.from(error));
  if (changed instanceof AppError) await device.refuse(changed);
}

export async function takeLoc({ device, packet }: Call, { x, y }: RecordOf<typeof loc>): Promise<void> {
  const [latitude, longitude] = [degrees(x), degrees(y)];
  if (latitude === undefined || longitude === undefined || Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
    return device.refuse(new AppError("invalid_packet"));
  const { uid } = device.tree;
  const content = { type: "location", latitude, longitude };
  const sent = await device.parley.send({ to: `user/${uid}`, content }, { packet });
  if (sent instanceof AppError) await device.refuse(sent);
}

/** Whole numbers are millionths. */
function degrees(value: Term | undefined): number | undefined {
  if (value instanceof Float) return value.value;
  if (typeof value !== "number") return undefined;
  return Math.abs(value) > 180 ? value / 1_000_000 : value;
}
