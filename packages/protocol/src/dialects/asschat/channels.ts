// Which conversation a channel id names, for one device. Of a digest what was learned is remembered; else the user's own are gone through.
import { AppError } from "../../errors.ts";
import { parseConv } from "../../ids.ts";
import { conversationsList } from "../../methods/history.ts";
import { roomsList } from "../../methods/rooms.ts";
import type { Parley } from "../dialect.ts";
import { channelIdOf, isChannelId, isDigested } from "./names.ts";

export interface Channels {
  /** The conversation's channel id, which is known from then on. */
  idOf(conv: string): string;
  /** What is known without asking. */
  known(chid: string): string | undefined;
  /** Undefined: the user has no such channel. Rejects when it cannot be looked for. */
  find(chid: string): Promise<string | undefined>;
}

const digestsKept = 10_000;
const pagesMax = 10;

export function openChannels(parley: Pick<Parley, "call">): Channels {
  const convs = new Map<string, string>();
  const ids = new Map<string, string>();

  function idOf(conv: string): string {
    const kept = ids.get(conv);
    if (kept !== undefined) return kept;
    const chid = channelIdOf(conv);
    if (ids.size >= digestsKept) {
      ids.clear();
      convs.clear();
    }
    ids.set(conv, chid);
    if (isDigested(chid)) convs.set(chid, conv);
    return chid;
  }

  function known(chid: string): string | undefined {
    if (isDigested(chid)) return convs.get(chid);
    return isChannelId(chid) ? `room/${chid.slice(1)}` : undefined;
  }

  async function* pages(ofRooms: boolean): AsyncGenerator<string[]> {
    let page: string | undefined;
    for (let count = 0; count < pagesMax; count++) {
      const params = page === undefined ? {} : { page };
      const found = ofRooms
        ? await parley.call(roomsList, { ...params, limit: 500 })
        : await parley.call(conversationsList, { ...params, limit: 1_000 });
      yield ("rooms" in found ? found.rooms : found.conversations).map(({ conv }) => conv);
      if (found.next === null) return;
      page = found.next;
    }
  }

  return {
    idOf,
    known,
    async find(chid) {
      const here = known(chid);
      if (here !== undefined || !isDigested(chid)) return here;
      for await (const some of pages(chid.startsWith("$r"))) {
        for (const conv of some) if (parseConv(conv) !== undefined) idOf(conv);
        const found = convs.get(chid);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** Id of the channel's room. Throws the refusal, in which who is in the channel is called as the device's form calls them. */
export async function roomOf(
  { channels }: { channels: Pick<Channels, "find"> },
  chid: string,
  called: "endpoints" | "users" = "endpoints",
): Promise<string> {
  const conv = await channels.find(chid);
  const parsed = conv === undefined ? undefined : parseConv(conv);
  if (parsed?.kind === "room") return parsed.roomId;
  if (parsed) throw new AppError("forbidden", `${chid} is a channel of two: its ${called} do not change`);
  throw new AppError("not_found", `there is no channel ${chid}`);
}
