// Who may have a file that was sent, who has it from somebody who is gone, and whether it was sent at all.
import {
  AppError,
  type AttachmentForReply,
  type AttachmentForRequest,
  type AttachmentRequest,
  type AttachmentsSent,
  type HeirsReply,
  type HeirsRequest,
  isAttachmentId,
  isUid,
} from "@parley/protocol";
import type { Versioned } from "@parley/store";
import type { FilePlace } from "../keep/store.ts";
import { byFile, messageAt, placesOf, type Stored, stateOf } from "./file-places.ts";
import { whoMay } from "./file-ways.ts";

const filesAtOnce = 500;
const usersAtOnce = 500;
/** Half of those who are looked at for one question: the others are those on the ways back. */
const askersAtOnce = 50;
/** Messages that are looked up of one file, and for one question about many. */
export const readsMax = 200;
const readsOfSentMax = 2_000;
/** Places of which the senders are told at once, and others who are asked about. */
const heirsAtOnce = 50;

/** Also while the message is new: its place is stored before it is. */
export async function mayFetch(store: Stored, asked: AttachmentRequest): Promise<boolean> {
  const { file, owner, heirs = [], uid } = asked;
  if (!isAttachmentId(file)) throw new AppError("invalid_packet", "file is not the id of an attachment");
  return (await whoMay(store, { file, owners: [owner, ...heirs] }, [asked])).has(uid);
}

/** The same of many users. */
export async function mayAllFetch(store: Stored, asked: AttachmentForRequest): Promise<AttachmentForReply> {
  const { file, owner, heirs = [], uids } = asked;
  if (!isAttachmentId(file)) throw new AppError("invalid_packet", "file is not the id of an attachment");
  if (!Array.isArray(uids) || uids.length > usersAtOnce || !uids.every((uid) => typeof uid === "string" && isUid(uid)))
    throw new AppError("invalid_packet", `uids: at most ${usersAtOnce} users`);
  const found: string[] = [];
  for (let at = 0; at < uids.length; at += askersAtOnce) {
    const some = uids.slice(at, at + askersAtOnce);
    const askers = some.map((uid) => ({ uid }));
    const may = await whoMay(store, { file, owners: [owner, ...heirs] }, askers);
    found.push(...some.filter((uid) => may.has(uid)));
  }
  return { uids: found };
}

/** Those who sent it on, or are about to, and may have it; and those of `others` who may. One page. */
export async function heirsOf(store: Stored, request: HeirsRequest): Promise<HeirsReply> {
  const { file, owner, heirs = [], others = [], page } = request;
  if (!isAttachmentId(file)) throw new AppError("invalid_packet", "file is not the id of an attachment");
  if (others.length > heirsAtOnce || !others.every(isUid))
    throw new AppError("invalid_packet", `others: at most ${heirsAtOnce} users`);
  const found = await store.files.find({
    ...byFile(file),
    limit: heirsAtOnce,
    ...(page === undefined ? {} : { page }),
  });
  const senders = new Set(others);
  for (const { doc } of found.items) {
    const sender = await senderOf(store, doc);
    if (sender !== undefined) senders.add(sender);
  }
  senders.delete(owner);
  const asked = [...senders].map((uid) => ({ uid }));
  const may = await whoMay(store, { file, owners: [owner, ...heirs] }, asked);
  return { heirs: [...senders].filter((uid) => may.has(uid)), next: found.next };
}

async function senderOf(store: Stored, place: FilePlace): Promise<string | undefined> {
  const message = await messageAt(store, place);
  if (message) return message.from;
  return (await stateOf(store, place)) === "awaited" ? place.from : undefined;
}

/** Those of the files that a message refers to; of as many of them, from the first on, as one question is good for. */
export async function sentFiles(store: Stored, files: readonly string[]): Promise<AttachmentsSent> {
  if (!Array.isArray(files) || files.length > filesAtOnce || !files.every(isAttachmentId))
    throw new AppError("invalid_packet", `files: at most ${filesAtOnce} ids of attachments`);
  const sent: string[] = [];
  let taken = 0;
  for (let reads = 0; taken < files.length && reads < readsOfSentMax; taken++) {
    const file = files[taken] as string;
    const search = { store, readsLeft: readsMax };
    if ((await isSent(search, file)) !== "no") sent.push(file);
    reads += readsMax - search.readsLeft;
  }
  return { sent, taken };
}

interface Looking {
  store: Stored;
  readsLeft: number;
  /** is given the places in which nothing will ever stand */
  gone?: Versioned<FilePlace>[];
}

/** `perhaps`: a message with it is about to be stored, or more places would have to be looked at. */
export async function isSent(looking: Looking, file: string): Promise<"yes" | "no" | "perhaps"> {
  const { store, gone } = looking;
  let answer: "no" | "perhaps" = "no";
  for await (const page of placesOf(store, byFile(file)))
    for (const place of page.toSorted((a, b) => b.doc.seq - a.doc.seq)) {
      if (looking.readsLeft === 0) return "perhaps";
      looking.readsLeft -= 1;
      const state = await stateOf(store, place.doc);
      if (state === "stands") return "yes";
      if (state === "gone") gone?.push(place);
      if (state === "awaited") answer = "perhaps";
    }
  return answer;
}
