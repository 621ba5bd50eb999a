// What every user has in the end: conversations read page by page, synced from nothing, and listed.
import { callHttp } from "@parley/client";
import { conversationsList, historyGet, type JsonObject, sync } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import type { Copy, Listed, Reader, ReadMark, RunRecord, View } from "../checker/record.ts";
import { copyOf } from "./device.ts";
import { type People, patiently } from "./people.ts";

const pageMessages = 500;
const glimpsesOfEach = 4;

export async function readAll(
  cluster: Cluster,
  people: People,
  { members, passing }: Pick<RunRecord, "members" | "passing">,
  marks: ReadonlyMap<string, Map<string, ReadMark>>,
): Promise<Reader[]> {
  const readers: Reader[] = [];
  for (const uid of people.uids) {
    // As of before the reading: receipts may still come.
    const own = new Map([...(marks.get(uid) ?? [])].map(([conv, mark]) => [conv, { ...mark }]));
    const { token } = await people.login(uid, "http");
    const call = callerOf(cluster, token);
    const views = new Map<string, View>();
    for (const [conv, uids] of members) {
      const view = uids.includes(uid) ? await readConversation(call, conv) : undefined;
      if (view && view.lastSeq > 0) views.set(conv, view);
    }
    const [synced, listed] = [await syncAll(call, new Map()), await listAll(call)];
    const glimpses = new Map<string, View[]>();
    for (const [conv, uids] of passing) if (uids.includes(uid)) glimpses.set(conv, await readAgain(call, conv));
    readers.push({ uid, views, synced, listed, marks: own, glimpses });
  }
  return readers;
}

// Whichever replica answers, of api and of history: each has its chance.
async function readAgain(call: Call, conv: string): Promise<View[]> {
  const views: View[] = [];
  for (let count = 0; count < glimpsesOfEach; count++) {
    views.push(await readConversation(call, conv));
    const synced = (await syncAll(call, new Map())).get(conv);
    views.push(synced ?? { messages: [], firstSeq: 0, lastSeq: 0 });
  }
  return views;
}

type Call = ReturnType<typeof callerOf>;

/** Calls as the user of the token, again while the server is away. */
export function callerOf(cluster: Cluster, token: string) {
  const base = cluster.run().http;
  return {
    history: (params: Parameters<typeof callHttp<typeof historyGet>>[2]) =>
      patiently(() => callHttp(base, historyGet, params, { token })),
    sync: (params: Parameters<typeof callHttp<typeof sync>>[2]) =>
      patiently(() => callHttp(base, sync, params, { token })),
    list: (params: Parameters<typeof callHttp<typeof conversationsList>>[2]) =>
      patiently(() => callHttp(base, conversationsList, params, { token })),
  };
}

/** All of it, as the user of the calls may read it. */
export async function readConversation(call: Call, conv: string): Promise<View> {
  const messages: Copy[] = [];
  for (;;) {
    const after = messages.at(-1)?.seq ?? 0;
    const page = await call.history({ conv, after, limit: pageMessages });
    messages.push(...copiesOf(page.messages));
    if (!page.more) return { messages, firstSeq: page.firstSeq, lastSeq: page.lastSeq };
  }
}

/** Everything the cursors lack, with as many calls as it takes. */
export async function syncAll(
  call: Call,
  from: ReadonlyMap<string, number>,
  limit = pageMessages,
): Promise<Map<string, View>> {
  const got = new Map<string, View>();
  const cursors: Record<string, number> = Object.fromEntries(from);
  for (let page: string | undefined, unfinished = false; ; ) {
    const answer = await call.sync({ cursors, limit, ...(page === undefined ? {} : { page }) });
    for (const { conv, messages, firstSeq, lastSeq, more } of answer.conversations) {
      const known = got.get(conv)?.messages ?? [];
      got.set(conv, { messages: [...known, ...copiesOf(messages)], firstSeq, lastSeq });
      cursors[conv] = messages.at(-1)?.seq ?? cursors[conv] ?? 0;
      unfinished ||= more;
    }
    if (answer.next === null && !unfinished) return got;
    if (answer.next === null) unfinished = false;
    page = answer.next ?? undefined;
  }
}

async function listAll(call: Call): Promise<Map<string, Listed>> {
  const listed = new Map<string, Listed>();
  for (let page: string | undefined; ; ) {
    const answer = await call.list({ limit: 100, ...(page === undefined ? {} : { page }) });
    for (const { conv, lastSeq, readSeq, unread } of answer.conversations)
      listed.set(conv, { lastSeq, readSeq, unread });
    if (answer.next === null) return listed;
    page = answer.next;
  }
}

function copiesOf(messages: readonly JsonObject[]): Copy[] {
  return messages.flatMap((message) => copyOf(message) ?? []);
}
