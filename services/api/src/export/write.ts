// What is in an export, entry by entry; the manifest comes last and says what there is.
import { Readable } from "node:stream";
import {
  aliasesList,
  devicesList,
  draftsList,
  historyGet,
  limits,
  messagesScheduled,
  messagesStarred,
  profileGet,
  pushList,
  pushSettings,
  type ResultOf,
  roomsInvitations,
  roomsList,
  rosterList,
  sync,
} from "@parley/protocol";
import type { Blobs, Page } from "@parley/store";
import { storageOf } from "../accounts/storage.ts";
import { refuseUnscanned } from "../files/attachments.ts";
import { bytesFor } from "../files/for-others.ts";
import type { Looks } from "../files/looks.ts";
import { knownUser, userGone } from "../known-users.ts";
import { changedStream } from "../location/apply.ts";
import { type ApiStore, type AttachmentDoc, errorOf } from "../store.ts";
import { type Archive, jsonLines } from "./archive.ts";
import { type Ask, pagesOf, sessionEnded } from "./ask.ts";

export interface ExportParts {
  store: ApiStore;
  blobs: Blobs;
  looks: Looks;
  /** uploads are scanned */
  scans: boolean;
}

/** Whose export it is. */
interface Exporting {
  uid: string;
  ask: Ask;
  /** the session that began it was ended */
  isRevoked(): boolean;
}

interface Writing extends ExportParts, Exporting {
  archive: Archive;
  /** unix ms */
  begunAt: number;
  /** of the entries so far: how many rows each has */
  entries: { path: string; rows: number }[];
}

const pageAttachments = 100;

/** Throws what ended it; the ZIP has no directory then, and nobody takes it for whole. */
export async function writeExport(parts: ExportParts, exporting: Exporting, archive: Archive): Promise<void> {
  const writing: Writing = { ...parts, ...exporting, archive, begunAt: Date.now(), entries: [] };
  const { uid, ask } = exporting;
  await writeJson(writing, "profile.json", await ask(profileGet, {}));
  await checkUser(writing);
  await writeJson(writing, "storage.json", await storageOf(parts.store, uid));
  await writeAbout(writing);
  await writeConversations(writing);
  const files = await writeFiles(writing);
  const { begunAt, entries } = writing;
  await checkUser(writing);
  await writeJson(writing, "manifest.json", {
    ...{ format: "parley-export", version: 1, uid, begunAt, endedAt: Date.now() },
    ...{ entries, files },
  });
  await checkUser(writing);
  archive.end();
}

async function writeAbout(writing: Writing): Promise<void> {
  const { ask } = writing;
  const aliases = async () => ({ rows: (await ask(aliasesList, {})).aliases.map((alias) => ({ alias })), next: null });
  await writeRows(writing, "aliases.jsonl", pagesOf(aliases));
  const devices = async () => ({ rows: (await ask(devicesList, {})).devices, next: null });
  await writeRows(writing, "devices.jsonl", pagesOf(devices));
  const tokens = async () => ({ rows: (await ask(pushList, {})).tokens, next: null });
  await writeRows(writing, "push.jsonl", pagesOf(tokens));
  const { vapidPublicKey: _, ...notified } = await ask(pushSettings, {});
  await checkUser(writing);
  await writeJson(writing, "push-settings.json", notified);
  const roster = pagesOf(async (page) => {
    const { contacts, next } = await ask(rosterList, page);
    return { rows: contacts, next };
  });
  await writeRows(writing, "roster.jsonl", roster);
  const rooms = pagesOf(async (page) => {
    const { rooms: rows, next } = await ask(roomsList, page);
    return { rows, next };
  });
  await writeRows(writing, "rooms.jsonl", rooms);
  const invitations = pagesOf(async (page) => {
    const { invitations: rows, next } = await ask(roomsInvitations, page);
    return { rows, next };
  });
  await writeRows(writing, "invitations.jsonl", invitations);
  const stars = pagesOf(async (page) => {
    const { stars: rows, next } = await ask(messagesStarred, page);
    return { rows, next };
  });
  await writeRows(writing, "stars.jsonl", stars);
  const drafts = pagesOf(async (page) => {
    const { drafts: rows, next } = await ask(draftsList, page);
    return { rows, next };
  });
  await writeRows(writing, "drafts.jsonl", drafts);
  const scheduled = pagesOf(async (page) => {
    const { scheduled: rows, next } = await ask(messagesScheduled, page);
    return { rows, next };
  });
  await writeRows(writing, "scheduled.jsonl", scheduled);
}

// Those of the past too, as far as they may be read. An id is no name for a file: `..` is one.
async function writeConversations(writing: Writing): Promise<void> {
  const { ask } = writing;
  const convs: string[] = [];
  const pathOf = (index: number) => `messages/${index + 1}.jsonl`;
  const conversations = pagesOf(async (page) => {
    const { conversations: synced, next } = await ask(sync, { all: true, limit: 1, ...page });
    const rows = synced.map(({ messages: _, more: _more, ...rest }) => {
      return { ...rest, messages: pathOf(convs.push(rest.conv) - 1) };
    });
    return { rows, next };
  });
  await writeRows(writing, "conversations.jsonl", conversations);
  for (const [index, conv] of convs.entries()) await writeRows(writing, pathOf(index), messagesOf(ask, conv));
}

async function* messagesOf(ask: Ask, conv: string): AsyncGenerator<unknown> {
  for (let after = 0, more = true; more; ) {
    const page = await ask(historyGet, { conv, after, limit: limits.pageMessages }).catch(noneWhereRefused);
    yield* page.messages;
    // A page of nothing but what the user has deleted for itself has no last message.
    after = page.messages.at(-1)?.seq ?? after + 1;
    more = page.more;
  }
}

// A room that was deleted meanwhile.
function noneWhereRefused(error: unknown): Pick<ResultOf<typeof historyGet>, "messages" | "more"> {
  const { code } = errorOf(error);
  if (code !== "not_member" && code !== "not_found") throw error;
  return { messages: [], more: false };
}

// How many there are. What is removed meanwhile, and what is infected, is left out.
async function writeFiles(writing: Writing): Promise<number> {
  const { store, blobs, looks, scans, uid, archive } = writing;
  const rows: object[] = [];
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "uid", equals: [uid], limit: pageAttachments, ...(page === undefined ? {} : { page }) };
    const found: Page<AttachmentDoc> = await store.attachments.find(query);
    for (const { key: id, doc } of found.items) {
      await checkUser(writing);
      const { name, type: mime, size, createdAt } = doc;
      const refused = await refuseUnscanned({ store, scans }, doc, uid).catch(infectedOnly);
      if (refused) continue;
      const { sha256, changes } = await bytesFor({ store, blobs, looks }, doc, uid);
      const bytes = await blobs.open(doc.blob);
      if (!bytes) continue;
      const path = `files/${id}-${name}`;
      await archive.add(path, changedStream(bytes, 0, changes), { at: createdAt, compress: false });
      rows.push({ id, name, mime, size, hash: `sha256:${sha256}`, createdAt, path });
    }
    page = found.next;
  }
  await writeRows(writing, "files.jsonl", Readable.from(rows));
  return rows.length;
}

function infectedOnly(error: unknown): true {
  if (errorOf(error).code !== "infected") throw error;
  return true;
}

async function writeRows(writing: Writing, path: string, rows: AsyncIterable<unknown>): Promise<void> {
  await checkUser(writing);
  const entry = { path, rows: 0 };
  async function* counted() {
    for await (const row of rows) {
      entry.rows += 1;
      yield row;
    }
  }
  await writing.archive.add(path, jsonLines(counted()), { at: writing.begunAt, compress: true });
  writing.entries.push(entry);
}

async function writeJson({ archive, begunAt }: Writing, path: string, value: unknown): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  await archive.add(path, Readable.from([text], { objectMode: false }), { at: begunAt, compress: true });
}

// Who was disabled or erased meanwhile, or whose session was ended, gets no more.
async function checkUser({ store, uid, isRevoked }: Writing): Promise<void> {
  if (!(await knownUser(store, uid))) throw userGone();
  if (isRevoked()) throw sessionEnded();
}
