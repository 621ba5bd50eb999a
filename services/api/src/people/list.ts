// roster.list: a roster page by page, or what changed of it.
import {
  AppError,
  type Caller,
  type Contact,
  limits,
  type ParamsOf,
  type ResultOf,
  type rosterList,
} from "@parley/protocol";
import { StoreError } from "@parley/store";
import type { ApiStore } from "../store.ts";
import { contactsOf } from "./contacts.ts";
import { isOver, sidesOf } from "./pairs.ts";

type Listed = ResultOf<typeof rosterList>;

/** Pairs that are over are forgotten so long after. */
export const overLifeMs = 90 * 24 * 3_600_000;

const defaultLimit = 100;
// Covers writes under way and clocks that differ.
const overlapMs = 5 * 60_000;
const entriesAtOnce = 50;
/** of an answer around its contacts */
const restBytes = 256;
const halves = ["ofA", "ofB"] as const;

/** Where a list goes on: a user stands first in some pairs and second in the others. */
interface Place {
  half: 0 | 1;
  /** of the store, within the half */
  page: string | undefined;
  version: number;
  since: number;
}

export async function listRoster(
  store: ApiStore,
  { since, limit = defaultLimit, page }: ParamsOf<typeof rosterList>,
  caller: Caller,
): Promise<Listed | AppError> {
  const now = Date.now();
  // What is over may be forgotten already, so that only all there is tells what is gone.
  const from = since !== undefined && since > now - overLifeMs + overlapMs ? since : 0;
  const start: Place = { half: 0, page: undefined, version: Math.max(0, now - overlapMs), since: from };
  const place = page === undefined ? start : readPlace(page);
  if (place instanceof AppError) return place;
  const room = Math.min(limits.pageBytes, caller.maxBytes ?? limits.pageBytes) - restBytes;
  const { contacts, next } = await fillPage(store, caller.uid, place, { limit, room });
  return { contacts, version: place.version, whole: place.since === 0, next: next ? writePlace(next) : null };
}

async function fillPage(
  store: ApiStore,
  uid: string,
  start: Place,
  { limit, room }: { limit: number; room: number },
): Promise<{ contacts: Contact[]; next: Place | undefined }> {
  const contacts: Contact[] = [];
  let left = room;
  let chunk = entriesAtOnce;
  for (let place: Place | undefined = start; place; ) {
    if (contacts.length >= limit) return { contacts, next: place };
    const { found, next }: Chunk = await readChunk(store, uid, place, Math.min(chunk, limit - contacts.length));
    const bytes = Buffer.byteLength(JSON.stringify(found));
    if (bytes > left && found.length > 0) {
      if (contacts.length > 0) return { contacts, next: place };
      // The first entries alone are too many; one is answered whatever its size.
      if (chunk > 1) {
        chunk = Math.ceil(chunk / 4);
        continue;
      }
    }
    contacts.push(...found);
    left -= bytes;
    place = next;
  }
  return { contacts, next: undefined };
}

interface Chunk {
  found: Contact[];
  next: Place | undefined;
}

async function readChunk(store: ApiStore, uid: string, place: Place, limit: number): Promise<Chunk> {
  const { items, next } = await findPairs(store, uid, place, limit);
  const entries = items
    .map(({ doc }) => ({ other: doc.a === uid ? doc.b : doc.a, sides: sidesOf(doc, uid) }))
    .filter(({ sides }) => place.since > 0 || !isOver(sides.mine));
  const found = await contactsOf(store, uid, entries);
  if (next !== null) return { found, next: { ...place, page: next } };
  return { found, next: place.half === 0 ? { ...place, half: 1, page: undefined } : undefined };
}

async function findPairs({ pairs }: ApiStore, uid: string, { half, page, since }: Place, limit: number) {
  const query = { index: halves[half], equals: [uid], from: since, limit, ...(page === undefined ? {} : { page }) };
  try {
    return await pairs.find(query);
  } catch (error) {
    if (error instanceof StoreError && error.code === "invalid_page") throw notOurs();
    throw error;
  }
}

function writePlace({ half, page, version, since }: Place): string {
  return Buffer.from(JSON.stringify([half, page ?? null, version, since])).toString("base64url");
}

function readPlace(text: string): Place | AppError {
  try {
    const [half, page, version, since] = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown[];
    const isPage = page === null || typeof page === "string";
    if ((half === 0 || half === 1) && isPage && Number.isSafeInteger(version) && Number.isSafeInteger(since))
      return { half, page: page ?? undefined, version: version as number, since: since as number };
  } catch {
    // Falls through: not written by us.
  }
  return notOurs();
}

function notOurs(): AppError {
  return new AppError("invalid_packet", "page is not the `next` of a page before");
}
