// What a device with a tree missed: read from history, as its user may read it, and told message by message.
import {
  AppError,
  type Caller,
  type Cursors,
  conversationsList,
  historyGet,
  type Message,
  type ParamsOf,
  parseMark,
  sync,
  type Tree,
} from "@parley/protocol";
import { callMethod, type NatsConnection } from "@parley/runtime";
import type { CursorKeeper } from "./cursors.ts";

type Tell = (message: Message) => Promise<unknown> | undefined;

export interface BeginRequest {
  tree: Tree;
  /** conv → seq of the last message that it has; filled where nothing is known yet */
  shown: Map<string, number>;
  /** how many messages of each conversation a device is sent that was never here, or that is remembered by nobody */
  showsAtFirst: number;
  /** conv → up to where it was told nothing, of a device that was never here; filled with `shown` */
  began: Map<string, number>;
}

export interface CatchUpRequest extends BeginRequest {
  /** Nothing of the conversation up to here is for the device. */
  passOver(conv: string, seq: number): void;
  tell: Tell;
}

export interface Gap {
  tree: Tree;
  conv: string;
  after: number;
  before: number;
  tell: Tell;
}

/** Tells everything that the device lacks. Rejects when it cannot be read now. */
export interface CatchUp {
  (request: CatchUpRequest): Promise<void>;
  /** Notes where a device begins that was never here, and tells it nothing yet. Rejects when it cannot be read now. */
  begin(request: BeginRequest): Promise<void>;
  /** The messages between two of one conversation. */
  between(gap: Gap): Promise<void>;
}

/** Of one conversation; of what is older a line says how much it is. */
const replayMax = 1_000;
const timeoutMs = 10_000;
/** In one request, which has a largest size; of others what is there already is passed over. */
export const cursorsMax = 5_000;

export function createCatchUp(nats: NatsConnection, cursors: Pick<CursorKeeper, "read" | "begin">): CatchUp {
  const between = (gap: Gap) => tellBetween(nats, gap);
  const catchUp = async (request: CatchUpRequest) => {
    const { tree, shown } = request;
    if (tree.owner !== "user") return;
    const isNew = shown.size === 0 && (await fillShown(nats, cursors, request)) === "new";
    for (const uid of tree.accounts) await tellMissed(nats, { ...request, isNew }, uid, between);
  };
  const begin: CatchUp["begin"] = async (request) => {
    if (request.tree.owner === "user" && request.shown.size === 0) await fillShown(nats, cursors, request);
  };
  return Object.assign(catchUp, { begin, between });
}

async function fillShown(
  nats: NatsConnection,
  cursors: Pick<CursorKeeper, "read" | "begin">,
  { tree, shown, showsAtFirst, began }: BeginRequest,
): Promise<"new" | "known"> {
  const kept = tree.persistent ? await cursors.read(tree.clientId) : null;
  const begin: Cursors = kept ?? (await headsOf(nats, tree, showsAtFirst));
  for (const [conv, seq] of Object.entries(begin)) {
    if (parseMark(conv) !== undefined) continue;
    shown.set(conv, seq);
    if (kept === null) began.set(conv, seq);
  }
  if (tree.persistent && kept === null) await cursors.begin(tree.clientId, begin);
  return kept === null ? "new" : "known";
}

/** Where all conversations of the device's accounts were when it connected, `back` messages before their ends. */
async function headsOf(nats: NatsConnection, tree: Tree, back: number): Promise<Cursors> {
  const heads: Cursors = {};
  for (const uid of tree.accounts) {
    let page: string | undefined;
    do {
      const params = page === undefined ? { limit: 1_000 } : { limit: 1_000, page };
      const listed = await callMethod(nats, conversationsList, callerOf(tree, uid), params, { timeoutMs });
      for (const { conv, lastSeq, lastMessage } of listed.conversations) {
        const isOld = lastMessage !== null && lastMessage.ts < tree.connectedAt;
        const head = isOld ? lastSeq : await headBefore(nats, tree, conv, lastSeq);
        heads[conv] = Math.max(0, head - back);
      }
      page = listed.next ?? undefined;
    } while (page !== undefined);
  }
  return heads;
}

/** Of one in which something was stored since, as far as a page tells. */
async function headBefore(nats: NatsConnection, tree: Tree, conv: string, lastSeq: number): Promise<number> {
  const page = await readPage(nats, tree, { conv, limit: 100 });
  const [first] = page?.messages ?? [];
  if (page === undefined || first === undefined) return lastSeq;
  return page.messages.findLast(({ ts }) => ts < tree.connectedAt)?.seq ?? first.seq - 1;
}

async function tellMissed(
  nats: NatsConnection,
  { tree, shown, isNew, passOver, tell }: CatchUpRequest & { isNew: boolean },
  uid: string,
  between: CatchUp["between"],
): Promise<void> {
  const cursors = Object.fromEntries([...shown].slice(-cursorsMax));
  let page: string | undefined;
  do {
    const params = { cursors, limit: 100, ...(page === undefined ? {} : { page }) };
    const found = await callMethod(nats, sync, callerOf(tree, uid), params, { timeoutMs });
    for (const { conv, messages, lastSeq, more } of found.conversations) {
      const last = messages.at(-1)?.seq;
      // What no list of its conversations had: its user has left it, or came in only now. Who was never here is told what is new of it.
      if (isNew && !shown.has(conv)) {
        const head = await headBefore(nats, tree, conv, lastSeq);
        passOver(conv, head);
        await between({ tree, conv, after: head, before: lastSeq + 1, tell });
        continue;
      }
      for (const message of messages) await tell(message);
      if (more && last !== undefined) await between({ tree, conv, after: last, before: lastSeq + 1, tell });
    }
    page = found.next ?? undefined;
  } while (page !== undefined);
}

async function tellBetween(nats: NatsConnection, { tree, conv, after, before, tell }: Gap): Promise<void> {
  let from = after;
  for (let told = 0; from < before - 1; ) {
    const page = await readPage(nats, tree, { conv, after: from, limit: 500 });
    if (page === undefined) return;
    for (const message of page.messages) if (message.seq < before) await tell(message);
    told += page.messages.length;
    from = page.messages.at(-1)?.seq ?? before;
    if (!page.more) return;
    if (told >= replayMax && from < before - 1) return void (await tell(restOf(conv, before - 1 - from, before - 1)));
  }
}

/** As whichever of the accounts may read it; undefined: none. */
async function readPage(nats: NatsConnection, tree: Tree, params: ParamsOf<typeof historyGet>) {
  for (const uid of tree.owner === "guest" ? [tree.uid] : tree.accounts) {
    const page = await callMethod(nats, historyGet, callerOf(tree, uid), params, { timeoutMs }).catch(AppError.from);
    if (!(page instanceof AppError)) return page;
    if (page.code !== "not_member" && page.code !== "not_found") throw page;
  }
  return undefined;
}

function restOf(conv: string, count: number, seq: number): Message {
  const content = { type: "text", data: `${count} more messages` };
  return { conv, seq, from: "parley", device: "parley", ts: Date.now(), id: `rest-${seq}`, to: "", content };
}

function callerOf({ clientId }: Tree, uid: string): Caller {
  return { uid, clientId, via: "mqtt" };
}
