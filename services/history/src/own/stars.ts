// messages.star, unstar and starred: what a user marked to find it again; one document a user.
import {
  AppError,
  type Caller,
  limits,
  type messagesStar,
  type messagesStarred,
  type messagesUnstar,
  type ParamsOf,
  type ResultOf,
} from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import type { Stars } from "../keep/store.ts";
import { findMessage } from "../read/about-message.ts";
import { annotateMessages } from "../read/annotated.ts";
import { noteOwnChange } from "./changes.ts";
import { type Owning, receiverIn } from "./own.ts";

type Star = Stars["stars"][number];

const defaultLimit = 50;
const roundsMax = 20;

export async function starMessage(
  owning: Owning,
  { conv, seq, tags = [] }: ParamsOf<typeof messagesStar>,
  caller: Caller,
): Promise<ResultOf<typeof messagesStar> | AppError> {
  const { uid } = caller;
  const found = await findMessage(owning, conv, seq, caller);
  if (found instanceof AppError) return found;
  const kept = [...new Set(tags)];
  const changed = await changeStars(owning, uid, (stars) => {
    const others = stars.filter((star) => !isOf(star, conv, seq));
    if (others.length >= limits.stars)
      return new AppError("conflict", `you have ${limits.stars} stars, the most there may be`);
    const at = Math.max(Date.now(), (stars.at(-1)?.at ?? 0) + 1);
    return [...others, { conv, seq, tags: kept, at }];
  });
  if (changed) return changed;
  owning.tell(found.member, { type: "star", conv, seq, tags: kept });
  return { conv, seq, tags: kept };
}

export async function unstarMessage(
  owning: Owning,
  { conv, seq }: ParamsOf<typeof messagesUnstar>,
  { uid }: Caller,
): Promise<ResultOf<typeof messagesUnstar> | AppError> {
  const changed = await changeStars(owning, uid, (stars) => stars.filter((star) => !isOf(star, conv, seq)));
  if (changed) return changed;
  owning.tell(await receiverIn(owning, conv, uid), { type: "star", conv, seq, tags: null });
  return { conv, seq };
}

/** The result as JSON text. */
export async function starredMessages(
  owning: Owning,
  { tag, conv, limit = defaultLimit, page }: ParamsOf<typeof messagesStarred>,
  caller: Caller,
): Promise<string | AppError> {
  if (page !== undefined && !/^\d{1,15}$/.test(page))
    return new AppError("invalid_packet", "page is not a token of this method");
  const before = page === undefined ? Number.POSITIVE_INFINITY : Number(page);
  const kept = (await owning.store.stars.get(caller.uid))?.doc.stars ?? [];
  const asked = kept
    .filter(
      (star) => star.at < before && (conv ?? star.conv) === star.conv && (tag === undefined || star.tags.includes(tag)),
    )
    .toReversed();
  const rows: string[] = [];
  let room = pageRoomOf(caller);
  let last: Star | undefined;
  for (const star of asked.slice(0, limit)) {
    const row = await rowOf(owning, star, caller);
    if (row !== undefined) {
      room -= Buffer.byteLength(row) + 1;
      if (room < 0 && rows.length > 0) break;
      rows.push(row);
    }
    last = star;
  }
  const next = last && last !== asked.at(-1) ? JSON.stringify(`${last.at}`) : "null";
  return `{"stars":[${rows.join(",")}],"next":${next}}`;
}

async function rowOf(owning: Owning, star: Star, caller: Caller): Promise<string | undefined> {
  const found = await findMessage(owning, star.conv, star.seq, caller);
  if (found instanceof AppError) return undefined;
  const [message] = await annotateMessages(owning.store, found.member, [found.entry]);
  return `${JSON.stringify(star).slice(0, -1)},"message":${message}}`;
}

async function changeStars(
  { store }: Owning,
  uid: string,
  change: (stars: Stars["stars"]) => Stars["stars"] | AppError,
): Promise<AppError | undefined> {
  await noteOwnChange(store, uid, "stars");
  for (let round = 0; round < roundsMax; round++) {
    const known = await store.stars.get(uid);
    const stars = change(known?.doc.stars ?? []);
    if (stars instanceof AppError) return stars;
    const doc: Stars = { uid, stars };
    if (await (known ? store.stars.update(uid, doc, known.version) : store.stars.insert(uid, doc))) return undefined;
  }
  return new AppError("unavailable", "the stars changed again and again meanwhile");
}

function isOf(star: Star, conv: string, seq: number): boolean {
  return star.conv === conv && star.seq === seq;
}
