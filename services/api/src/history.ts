// What api asks of history: membership changes and messages of the replica that holds the conversation, lists of any.
import {
  AppError,
  type Appended,
  type AppendItem,
  type AttachmentForReply,
  type AttachmentForRequest,
  type AttachmentRequest,
  type AttachmentsSent,
  type ChangeReply,
  type ChangeRequest,
  type ConversationsReply,
  type Door,
  type EraseReply,
  type EraseRequest,
  type EraseUserReply,
  type EraseUserRequest,
  type FreedReply,
  type FreedRequest,
  type HeirsReply,
  type HeirsRequest,
  type MemberPage,
  type MembersRequest,
  type MessageReceiptsRequest,
  type messagesReceipts,
  packAppendRequest,
  type ReceiptReply,
  type ReceiptRequest,
  type ResultOf,
  type RoomsReply,
  type RoomsRequest,
  subjects,
  unpackAppendReply,
} from "@parley/protocol";
import { conversationPartition, conversationPartitions } from "@parley/protocol/partition";
import {
  createAskHolder,
  type Logger,
  type NatsConnection,
  type Redis,
  readJsonAnswer,
  requestJson,
  startHolderLookup,
} from "@parley/runtime";
import { tellDoors } from "./tell-doors.ts";

const options = { timeoutMs: 10_000 };
/** Nobody waits for a step of an erasure, and one that is asked for again makes a slow store slower. */
const stepPatience = { allMs: 60_000, answerMs: 15_000 };

export interface History {
  /** Throws the refusal, or `unavailable` with the outcome unknown. */
  change(change: ChangeRequest): Promise<ChangeReply>;
  /** One page. */
  members(request: MembersRequest): Promise<MemberPage>;
  /** Moves the marks of a user; whoever is to be told is named in the reply. */
  mark(request: ReceiptRequest): Promise<ReceiptReply>;
  /** How far a message came. */
  receipts(request: MessageReceiptsRequest): Promise<ResultOf<typeof messagesReceipts>>;
  append(item: AppendItem): Promise<Appended>;
  /** As RoomsRequest says. */
  rooms(request: RoomsRequest): Promise<RoomsReply>;
  /**
   * Resolves when these doors hold at every replica: no message that they refuse can be stored any more. Throws
   * `unavailable`, the outcome unknown.
   */
  doors(doors: readonly Door[]): Promise<void>;
  /** May this user have a file that another one uploaded? */
  mayFetch(request: AttachmentRequest): Promise<boolean>;
  /** Who of these users, at most 500, may? */
  mayAllFetch(request: AttachmentForRequest): Promise<readonly string[]>;
  /** Those of these attachments, at most 500, that a message refers to; of the first `taken` of them. */
  sentFiles(files: readonly string[]): Promise<AttachmentsSent>;
  /** Attachments that were sent and that no message refers to any more; those that are removed are forgotten. */
  freedFiles(request: FreedRequest): Promise<FreedReply>;
  /** Who have a file from a user who is being erased, one page. */
  heirs(request: HeirsRequest): Promise<HeirsReply>;
  /** Some conversations of which something of the user is kept; none: there are no more. */
  conversationsOf(uid: string): Promise<string[]>;
  /** One step. */
  erase(request: EraseRequest): Promise<EraseReply>;
  /** What it kept for itself. */
  eraseUser(uid: string): Promise<void>;
  /** What is being asked again fails now as `unavailable`. */
  close(): void;
}

export function connectHistory(parts: { nats: NatsConnection; redis: Redis; log: Logger }): History {
  const { nats, redis, log } = parts;
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  const askHolder = createAskHolder(nats, holders);
  let closed = false;
  return {
    change: (change) => askHolder.json("change", change.conv, change),
    members: (request) => askHolder.json("members", request.conv, request),
    mark: (request) => askHolder.json("receipt", request.conv, request),
    receipts: (request) => askHolder.json("receipts", request.conv, request),
    append: (item) => {
      const group = { q: conversationPartition(item.conv), items: [item] };
      return askHolder.bytes("append", item.conv, packAppendRequest([group]), readAppended);
    },
    rooms: (request) => requestJson<RoomsReply>(nats, subjects.rooms, request, options),
    doors: (doors) => tellDoors({ nats, holders, isClosed: () => closed }, doors),
    async mayFetch(request) {
      return (await requestJson<{ may: boolean }>(nats, subjects.attachmentAllowed, request, options)).may;
    },
    async mayAllFetch(request) {
      return (await requestJson<AttachmentForReply>(nats, subjects.attachmentFor, request, options)).uids;
    },
    sentFiles(files) {
      return requestJson<AttachmentsSent>(nats, subjects.attachmentsSent, { files }, options);
    },
    freedFiles: (request) => requestJson<FreedReply>(nats, subjects.attachmentsFreed, request, options),
    heirs: (request) => requestJson<HeirsReply>(nats, subjects.attachmentHeirs, request, options),
    conversationsOf: async (uid) =>
      (await requestJson<ConversationsReply>(nats, subjects.conversationsOf, { uid }, options)).convs,
    erase: (request) => askHolder.json("erase", request.conv, request, stepPatience),
    async eraseUser(uid) {
      for (let after: number | null = 0; after !== null; ) {
        const request: EraseUserRequest = { uid, after };
        after = (await requestJson<EraseUserReply>(nats, subjects.eraseUser, request, options)).next ?? null;
      }
    },
    close() {
      closed = true;
      askHolder.close();
      holders.close();
    },
  };
}

function readAppended(bytes: Uint8Array): Appended {
  // A request that could not be read at all is answered as JSON.
  if (bytes[0] === "{".charCodeAt(0)) readJsonAnswer(bytes);
  const group = unpackAppendReply(bytes)[0];
  if (group === undefined) throw new AppError("internal", "an append was answered with nothing");
  if ("failed" in group) throw new AppError(group.failed === "not_mine" ? "unavailable" : group.failed, group.message);
  const outcome = group.outcomes[0];
  if (outcome === undefined) throw new AppError("internal", "an append was answered with nothing");
  if ("error" in outcome) throw AppError.fromWire(outcome.error);
  return outcome;
}
