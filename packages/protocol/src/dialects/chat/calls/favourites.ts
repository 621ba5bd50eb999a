// Star/…, Tag/…: favourite messages and what they are sorted by.
import { AppError } from "../../../errors.ts";
import { messagesStar, messagesUnstar } from "../../../methods/own.ts";
import type { Term } from "../bert/term.ts";
import { accountOf, type Call } from "../device/device.ts";
import { convOfFeed, seqOf } from "../device/names.ts";
import { changeStored, readStored } from "../device/storage.ts";
import { type Star, star as starKind, type tag, tag as tagKind } from "../records/messages.ts";
import type { RecordOf } from "../records/record.ts";

type Tag = RecordOf<typeof tag>;

/** Answered with the star as it is. */
export async function takeStar({ device }: Call, star: Star): Promise<void> {
  const { roster_id, message, tags, status } = star;
  const account = accountOf(device, roster_id);
  const conv = convOfFeed(message?.feed_id);
  const seq = seqOf(message?.id ?? 0);
  if (!account || conv === undefined || seq === 0 || (status !== "add" && status !== "remove"))
    return device.refuse(new AppError("invalid_packet"));
  const as = { as: account.uid };
  try {
    const stored = await readStored(device, account.uid);
    const names = stored.tags.filter(({ id }) => numbers(tags).includes(id)).map(({ name }) => name.slice(0, 32));
    const place = { conv, seq };
    if (status === "add") await device.parley.call(messagesStar, { ...place, tags: names }, as);
    else await device.parley.call(messagesUnstar, place, as);
    await device.answer(starKind.write({ ...star, id: star.id ?? message?.id }, device.set));
  } catch (error) {
    await device.refuse(AppError.from(error));
  }
}

function numbers(tags: Term | undefined): number[] {
  return Array.isArray(tags) ? tags.filter((one) => typeof one === "number") : [];
}

const tagsMax = 100;

/** Answered with the tag, and the number that it has. */
export async function takeTag({ device }: Call, record: Tag): Promise<void> {
  const account = accountOf(device, record.roster_id);
  const { status, name = "", color = "" } = record;
  if (!account || !["create", "edit", "remove"].includes(status ?? ""))
    return device.refuse(new AppError("invalid_packet"));
  try {
    const id = await changeStored(device, account.uid, (stored) => {
      const found = stored.tags.find((one) => one.id === record.id || (record.id === undefined && one.name === name));
      if (status === "create") {
        if (name === "" || stored.tags.length >= tagsMax) throw new AppError("invalid_packet");
        const made = { id: stored.nextTag++, name: name.slice(0, 64), color: color.slice(0, 32) };
        stored.tags.push(made);
        return made.id;
      }
      if (!found) throw new AppError("not_found");
      if (status === "remove") stored.tags = stored.tags.filter((one) => one !== found);
      else Object.assign(found, { ...(name === "" ? {} : { name }), ...(color === "" ? {} : { color }) });
      return found.id;
    });
    await device.answer(tagKind.write({ ...record, id }, device.set));
  } catch (error) {
    await device.refuse(AppError.from(error));
  }
}
