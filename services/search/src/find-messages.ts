// search.messages: the index says where, history says what; only history decides who may read it.
import { createHash } from "node:crypto";
import {
  AppError,
  type Caller,
  type MessagesRequest,
  type ParamsOf,
  type searchMessages,
  subjects,
  takenPattern,
} from "@parley/protocol";
import { JsonText, type NatsConnection, readJsonAnswer, request } from "@parley/runtime";
import type { FoundMessage, SearchIndex } from "@parley/store";
import type { Indexes } from "./indexes.ts";
import { type AskedQuery, readQuery } from "./read-query.ts";
import { forDevice, isReadable, type Readable } from "./readable.ts";

export interface FindParts {
  nats: NatsConnection;
  indexes: Indexes;
  readable: (uid: string) => Promise<Readable>;
}

const defaultLimit = 20;
const timeoutMs = 5_000;
/** Looks at the index for one page: messages that the user may not read any more are left out of it. */
const looksMost = 10;

export async function findMessages(
  { nats, indexes, readable }: FindParts,
  { query, limit = defaultLimit, page }: ParamsOf<typeof searchMessages>,
  caller: Caller,
): Promise<JsonText | AppError> {
  const asked = readQuery(query, caller.uid);
  const { name, index, isWhole } = await indexes.searched();
  const mark = markOf(name, caller.uid, query);
  const after = page === undefined ? undefined : readPage(page, mark);
  const found = await findReadable(index, asked, {
    readable: forDevice(await readable(caller.uid), caller),
    limit,
    after,
  });
  const places = found.messages.map(({ conv, seq, version }) => ({ conv, seq, version }));
  const { uid, clientId, maxBytes } = caller;
  const asker = { uid, ...(clientId !== undefined && { clientId }) };
  const wanted: MessagesRequest = { ...asker, places, ...(maxBytes !== undefined && { maxBytes }) };
  const { taken, results } =
    places.length > 0 ? await askMessages(nats, wanted) : { taken: 0, results: '"results":[]' };
  // Of what had no room the next page is made.
  const last = taken < places.length ? found.messages[taken - 1]?.place : found.next;
  const next = last === undefined ? "null" : JSON.stringify(writePage(mark, last));
  return new JsonText(`{${results},"next":${next}${isWhole ? "" : ',"incomplete":true'}}`);
}

interface Wanted {
  readable: Readable;
  limit: number;
  after: string | undefined;
}

// `next`: the place behind which there may be more.
async function findReadable(
  index: SearchIndex,
  { in: only, ...asked }: AskedQuery,
  { readable, limit, after }: Wanted,
): Promise<{ messages: FoundMessage[]; next: string | undefined }> {
  const convs = only === undefined ? [...readable.keys()] : only.filter((conv) => readable.has(conv));
  const messages: FoundMessage[] = [];
  let place = after;
  for (let looks = 0; looks < looksMost; looks++) {
    const wanted = limit - messages.length;
    const found = await index.find({ ...asked, convs, limit: wanted, ...(place !== undefined && { after: place }) });
    for (const one of found.messages) {
      const conversation = readable.get(one.conv);
      if (conversation && [one.seq, one.version].every((seq) => isReadable(conversation, seq))) messages.push(one);
    }
    if (found.next === null) return { messages, next: undefined };
    place = found.next;
    // Enough, or the index has looked through as much as it does at once.
    if (messages.length === limit || found.messages.length < wanted) break;
  }
  return { messages, next: place };
}

// The results are passed on as the text that they are.
async function askMessages(nats: NatsConnection, wanted: MessagesRequest): Promise<{ taken: number; results: string }> {
  const bytes = await request(nats, subjects.messagesAt, JSON.stringify(wanted), { timeoutMs });
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  const [beginning, taken] = takenPattern.exec(text) ?? [];
  if (beginning !== undefined) return { taken: Number(taken), results: text.slice(beginning.length, -1) };
  readJsonAnswer(bytes);
  throw new AppError("internal", "history answered no messages");
}

// A page goes on in the index, and for the query and user, that it was made of.
function markOf(index: string, uid: string, query: string): string {
  return createHash("sha256")
    .update(JSON.stringify([index, uid, query]))
    .digest("base64url")
    .slice(0, 11);
}

function writePage(mark: string, place: string): string {
  return Buffer.from(`${mark} ${place}`).toString("base64url");
}

function readPage(page: string, mark: string): string {
  const [found, ...place] = Buffer.from(page, "base64url").toString().split(" ");
  if (found === mark && place.length > 0) return place.join(" ");
  throw new AppError("invalid_packet", "page is of another query, or of an index that is no more: begin again");
}
