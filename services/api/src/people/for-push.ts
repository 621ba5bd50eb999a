// people.push: what users call others, and how they have them, for notifications.
import { AppError, isUid, type PushPeopleReply, type PushPeopleRequest, pushAskedMax } from "@parley/protocol";
import type { ApiStore } from "../store.ts";
import { knownTo } from "./contacts.ts";

const relations = ["contact", "requested", "pending"] as const;

export async function pushPeople(store: ApiStore, asked: unknown): Promise<PushPeopleReply> {
  if (!isAsked(asked)) throw new AppError("invalid_packet", `asked: at most ${pushAskedMax} of uid and by`);
  const contacts = await knownTo(
    store,
    asked.map(({ uid, by }) => ({ owner: uid, other: by })),
  );
  return {
    people: contacts.map(({ nick, muted, blocked, relation: kept }) => {
      const relation = relations.find((one) => one === kept);
      return {
        name: nick,
        ...(muted && { muted: true as const }),
        ...(blocked && { blocked: true as const }),
        ...(relation && { relation }),
      };
    }),
  };
}

function isAsked(asked: unknown): asked is PushPeopleRequest["asked"] {
  const isOne = (one: unknown) => {
    const { uid, by } = (one ?? {}) as Record<string, unknown>;
    return [uid, by].every((name) => typeof name === "string" && isUid(name));
  };
  return Array.isArray(asked) && asked.length <= pushAskedMax && asked.every(isOne);
}
