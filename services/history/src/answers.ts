// What history answers over NATS: appends, changes, receipts and member lists as the holder; methods and look-ups as any
// replica.
import type { JetStreamManager } from "@nats-io/jetstream";
import {
  AppError,
  type AppendGroup,
  type Caller,
  type ChangeReply,
  type ChangeRequest,
  conversationsList,
  conversationsUpdate,
  type DoorsRequest,
  draftsList,
  draftsRemove,
  draftsSet,
  type EraseRequest,
  type GroupOutcome,
  historyGet,
  historySubject,
  isConv,
  isUid,
  type MemberPage,
  type MembersRequest,
  type MessageReceiptsRequest,
  type Method,
  messagesDelete,
  messagesPins,
  messagesReactions,
  messagesStar,
  messagesStarred,
  messagesUnstar,
  messagesVersions,
  messagesVotes,
  type ParamsOf,
  packAppendReply,
  type ReceiptRequest,
  type ResultOf,
  type RoomsRequest,
  subjects,
  sync,
  threadsGet,
  threadsList,
  threadsUpdate,
  unpackAppendRequest,
} from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import {
  answer,
  handle,
  JsonText,
  type Logger,
  type MethodHandler,
  type NatsConnection,
  serveMethods,
} from "@parley/runtime";
import { StoreError } from "@parley/store";
import { serveErasure } from "./answers-for-erasure.ts";
import { serveFiles } from "./answers-for-files.ts";
import { servePush } from "./answers-for-push.ts";
import { serveEntries } from "./answers-for-search.ts";
import { eraseStep } from "./erase/erase-messages.ts";
import { isInvalid, type Trouble, withoutPath } from "./keep/trouble.ts";
import { deleteMessages } from "./own/delete.ts";
import { listDrafts, removeDraft, setDraft } from "./own/drafts.ts";
import type { Owning } from "./own/own.ts";
import { updateConversation } from "./own/settings.ts";
import { starMessage, starredMessages, unstarMessage } from "./own/stars.ts";
import { createTell } from "./own/tell.ts";
import { updateThread } from "./own/threads.ts";
import { messageReactions, messageVersions, messageVotes } from "./read/about-message.ts";
import { getHistory } from "./read/get.ts";
import { listConversations } from "./read/list.ts";
import { memberPage } from "./read/member-page.ts";
import { messageReceipts } from "./read/message-receipts.ts";
import { createNamesFor } from "./read/names.ts";
import { pinnedMessages } from "./read/pins.ts";
import type { Reading } from "./read/reading.ts";
import { ownRooms, roomsNamed } from "./read/rooms.ts";
import { syncConversations } from "./read/sync.ts";
import { listThreads, threadMessages } from "./read/threads.ts";
import { openReadTurns, type ReadTurns, readFor } from "./read/turns.ts";
import { takeDoors } from "./write/doors.ts";
import { fitReply } from "./write/fit-reply.ts";
import { currentConversation, type Holding } from "./write/holding.ts";
import { receive } from "./write/receipts.ts";
import { append, change, notMine } from "./write/writer.ts";

export interface AnswerParts extends Reading, Holding {
  nats: NatsConnection;
  manager: JetStreamManager;
  instance: string;
  trouble: Trouble;
  /** methods that read at once */
  readsAtOnce: number;
  log: Logger;
}

/** Serves until close; close waits for what is in hand. */
export function serveHistory(parts: AnswerParts): { close(): Promise<void> } {
  const { nats, instance, trouble, log } = parts;
  const turns = openReadTurns({ atOnce: parts.readsAtOnce });
  const tried = createTried(trouble);
  const own = (
    verb: Parameters<typeof historySubject>[0],
    work: (payload: Uint8Array) => Promise<Uint8Array | string>,
  ) => answer(nats, historySubject(verb, instance), undefined, tried(work), log);
  const serve = (subject: string, work: (asked: never) => Promise<Uint8Array | string>) =>
    answer(
      nats,
      subject,
      "history",
      tried(async (payload) => work(readAsked(payload) as never)),
      log,
    );
  const served = [
    own("append", (payload) => appendGroups(parts, payload)),
    own("change", async (payload) => replyJson(await changeMembers(parts, readAsked(payload) as ChangeRequest))),
    own("doors", async (payload) => replyJson(await takeDoors(parts, readAsked(payload) as DoorsRequest))),
    own("erase", async (payload) => replyJson(await eraseStep(parts, readAsked(payload) as EraseRequest))),
    own("receipt", async (payload) => replyJson(await receive(parts, readAsked(payload) as ReceiptRequest))),
    own("receipts", async (payload) =>
      replyJson(await messageReceipts(parts, readAsked(payload) as MessageReceiptsRequest)),
    ),
    own("members", async (payload) => replyJson(await memberPageOf(parts, readAsked(payload) as MembersRequest))),
    serve(subjects.rooms, async (asked: RoomsRequest) => {
      const { uid, convs } = asked;
      if (convs) return JSON.stringify(await roomsNamed(parts, asked, convs));
      return readFor(turns, uid, () => ownRooms(parts, asked));
    }),
    ...serveEntries(parts, turns, serve),
    ...serveFiles(parts, turns, serve),
    ...serveErasure(parts, turns, serve),
    ...servePush(parts, serve),
    serveMethods(nats, {
      queue: "history",
      log,
      handlers: methodHandlers(parts, turns, tried),
    }),
  ];
  return {
    async close() {
      await Promise.all(served.map((one) => one.close()));
    },
  };
}

type Tried = ReturnType<typeof createTried>;

// What callers are told of a store that fails, and the log.
function createTried(trouble: Trouble) {
  return <Args extends unknown[], Reply>(work: (...args: Args) => Promise<Reply>) =>
    async (...args: Args): Promise<Reply> => {
      try {
        return await work(...args);
      } catch (error) {
        if (error instanceof StoreError && !isInvalid(error)) trouble.failed("request_failed", error);
        throw withoutPath(error);
      }
    };
}

function methodHandlers(parts: AnswerParts, turns: ReadTurns, tried: Tried): MethodHandler[] {
  const page = <M extends Method>(
    method: M,
    work: (reading: Reading, params: ParamsOf<M>, caller: Caller) => Promise<string | AppError>,
  ) =>
    handle(
      method,
      tried(async (params: ParamsOf<M>, caller: Caller) =>
        asText(await turns.take(caller, () => work(parts, params, caller))),
      ),
    );
  const namesFor = createNamesFor(parts);
  const owning: Owning = { ...parts, tell: createTell(parts.nats) };
  const change = <M extends Method>(
    method: M,
    work: (owning: Owning, params: ParamsOf<M>, caller: Caller) => Promise<ResultOf<M> | AppError>,
  ) =>
    handle(
      method,
      tried(async (params: ParamsOf<M>, caller: Caller) => work(owning, params, caller)),
    );
  return [
    page(historyGet, getHistory),
    page(sync, syncConversations),
    page(conversationsList, (reading, params, caller) => listConversations(reading, params, caller, namesFor)),
    page(messagesVersions, messageVersions),
    page(messagesReactions, messageReactions),
    page(messagesVotes, messageVotes),
    page(messagesPins, pinnedMessages),
    page(threadsList, listThreads),
    page(threadsGet, threadMessages),
    page(messagesStarred, (_, params, caller) => starredMessages(owning, params, caller)),
    change(messagesDelete, deleteMessages),
    change(conversationsUpdate, updateConversation),
    change(threadsUpdate, updateThread),
    change(messagesStar, starMessage),
    change(messagesUnstar, unstarMessage),
    change(draftsSet, setDraft),
    change(draftsRemove, removeDraft),
    change(draftsList, listDrafts),
  ];
}

async function appendGroups(parts: AnswerParts, payload: Uint8Array): Promise<Uint8Array> {
  const groups = unpackAppendRequest(payload);
  const outcomes = await Promise.all(groups.map((group) => appendGroup(parts, group)));
  return packAppendReply(fitReply(outcomes));
}

function appendGroup({ partitions }: AnswerParts, { q, items }: AppendGroup): Promise<GroupOutcome> {
  const writer = partitions.writer(q);
  if (!writer) return Promise.resolve({ q, failed: "not_mine" });
  if (items.some(({ conv }) => conversationPartition(conv) !== q))
    return Promise.resolve({ q, failed: "internal", message: "a message is not of this partition" });
  return append(writer, items);
}

async function changeMembers({ partitions }: AnswerParts, request: ChangeRequest): Promise<ChangeReply> {
  const writer = partitions.writer(conversationPartition(request.conv));
  if (!writer) throw notMine();
  return change(writer, request);
}

async function memberPageOf(parts: AnswerParts, request: MembersRequest): Promise<MemberPage> {
  return memberPage(await currentConversation(parts, request.conv), request);
}

function asText(result: string | AppError): JsonText | AppError {
  return result instanceof AppError ? result : new JsonText(result);
}

function replyJson(result: unknown): string {
  if (result instanceof AppError) throw result;
  return JSON.stringify(result);
}

// What a service asks: an id that cannot be one is refused before the store is asked about it.
function readAsked(payload: Uint8Array): unknown {
  const asked: unknown = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
  const { conv, uid, convs = [] } = asked as { conv?: unknown; uid?: unknown; convs?: unknown };
  const isName = (value: unknown) => typeof value === "string" && isConv(value);
  if ((conv !== undefined && !isName(conv)) || !Array.isArray(convs) || !convs.every(isName))
    throw new AppError("invalid_packet", "conv is not the name of a conversation");
  if (uid !== undefined && !(typeof uid === "string" && isUid(uid)))
    throw new AppError("invalid_packet", "uid is not the id of a user");
  return asked;
}
