// drafts.set, remove and list: what a user has begun to write, on all its devices; whichever wrote last counts.
import {
  AppError,
  type Caller,
  type Draft,
  type draftsList,
  type draftsRemove,
  type draftsSet,
  isThereWith,
  limits,
  type ParamsOf,
  type ResultOf,
} from "@parley/protocol";
import { fittingCount, pageRoomOf } from "@parley/runtime";
import type { Asker } from "../fold/devices.ts";
import { isMember } from "../fold/members.ts";
import { memberKey } from "../keep/store.ts";
import { memberOf, readerOf } from "../read/reading.ts";
import { noteOwnChange } from "./changes.ts";
import { type Owning, receiverIn } from "./own.ts";

const pageDrafts = 50;

export async function setDraft(
  owning: Owning,
  { conv, text, reply }: ParamsOf<typeof draftsSet>,
  caller: Caller,
): Promise<Draft | AppError> {
  const { store } = owning;
  const { uid } = caller;
  const known = await memberOf(owning, conv, uid);
  const member = await readerOf(owning, { conv, asker: caller, known });
  if (member instanceof AppError) return member;
  if (!isMember(member)) return new AppError("not_member");
  const key = memberKey(conv, uid);
  const isNew = (await store.drafts.get(key)) === undefined;
  if (isNew && (await isFull(owning, uid)))
    return new AppError("conflict", `you have ${limits.drafts} drafts, the most there may be`);
  const draft: Draft = { conv, text, ...(reply === undefined ? {} : { reply }), at: Date.now() };
  // Before: of one that is kept every device that was away is told, whoever dies in between.
  await noteOwnChange(store, uid, "drafts");
  await store.drafts.put([{ key, doc: { uid, ...draft } }]);
  owning.pass("before-own-reply");
  owning.tell(member, { type: "draft", conv, draft });
  return draft;
}

export async function removeDraft(
  owning: Owning,
  { conv }: ParamsOf<typeof draftsRemove>,
  { uid }: Caller,
): Promise<ResultOf<typeof draftsRemove>> {
  const key = memberKey(conv, uid);
  await noteOwnChange(owning.store, uid, "drafts");
  const isRemoved = await owning.store.drafts.remove(key);
  if (isRemoved) owning.tell(await receiverIn(owning, conv, uid), { type: "draft", conv, draft: null });
  return { conv };
}

export async function listDrafts(
  { store }: Owning,
  { page }: ParamsOf<typeof draftsList>,
  caller: Caller,
): Promise<ResultOf<typeof draftsList>> {
  const after = page === undefined ? {} : { after: page };
  const query = { index: "by_uid", equals: [caller.uid], limit: pageDrafts, ...after };
  const { items, next } = await store.drafts.find(query);
  const found = items.map(({ doc: { uid: _, ...draft } }) => draft);
  const texts = found.map((draft) => JSON.stringify(draft));
  const drafts = found.slice(0, fittingCount(texts, pageRoomOf(caller)));
  const isMore = next !== null || drafts.length < found.length;
  return { drafts: await shownTo(store, caller, drafts), next: isMore ? (drafts.at(-1)?.conv ?? null) : null };
}

// A device is not shown what others have begun to write where the user is with those only.
async function shownTo({ members }: Owning["store"], { uid, clientId }: Asker, drafts: Draft[]): Promise<Draft[]> {
  const inRooms = drafts.filter(({ conv }) => conv.startsWith("room/"));
  if (clientId === undefined || inRooms.length === 0) return drafts;
  const known = await members.getMany(inRooms.map(({ conv }) => memberKey(conv, uid)));
  return drafts.filter(({ conv }) => isThereWith(known.get(memberKey(conv, uid))?.doc ?? {}, clientId));
}

async function isFull({ store }: Owning, uid: string): Promise<boolean> {
  const { items } = await store.drafts.find({ index: "by_uid", equals: [uid], limit: limits.drafts });
  return items.length >= limits.drafts;
}
