// The chat client of one device: connection, outbox, inbox, receipts and requests as one thing.
import {
  AppError,
  type Attachment,
  attachmentsInfo,
  type ConversationNotice,
  conversationsSetExpiry,
  type Expiry,
  type FileContent,
  type Message,
  type Method,
  messagesForward,
  messagesSchedule,
  type NackPacket,
  type ParamsOf,
  type ReceiptNotice,
  type ResultOf,
  type Scheduled,
  type StatePacket,
  type TooLargeNotice,
  type TypingNotice,
} from "@parley/protocol";
import { type AskHistory, startAskHistory } from "./ask-history.ts";
import type { CachedConversation } from "./cache-store.ts";
import { changeOf } from "./changes.ts";
import type { ClientParts } from "./client-parts.ts";
import { Connection } from "./connection.ts";
import { type Conversations, startConversations } from "./conversations.ts";
import { type DeviceState, startDeviceState } from "./device-state.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import { exportAccount } from "./export-account.ts";
import { type DownloadOptions, downloadFile, type FileBytes, type UploadOptions, uploadFile } from "./files.ts";
import { type Heads, startHeads } from "./heads.ts";
import { callHttp } from "./http.ts";
import { type Inbox, startInbox } from "./inbox.ts";
import { isToldAsItIs, readIncoming } from "./incoming.ts";
import { type KnownOptions, knownContent } from "./known-content.ts";
import { defaultTransport } from "./network.ts";
import type { ClientOptions, ClientState, ParleyEvents } from "./options.ts";
import type { OutgoingMessage } from "./outbox.ts";
import { type Content, outgoing, type SendOptions } from "./outgoing.ts";
import type { Ack } from "./promises.ts";
import { type Receipts, startReceipts } from "./receipts.ts";
import { type Requests, startRequests } from "./requests.ts";
import { type Sender, startSender } from "./sender.ts";
import type { Sessions } from "./session.ts";
import type { Session } from "./session-store.ts";
import { type SyncedConversation, syncAll } from "./sync.ts";
import { startUlids } from "./ulid.ts";

export class ParleyClient {
  readonly uid: string;
  readonly clientId: string;
  /** Resolves when everything missed has been shown for the first time; rejects when the server refuses for good. */
  readonly ready: Promise<void>;
  /** Listens to an event; the answer stops listening. */
  readonly on: Emitter<ParleyEvents>["on"];

  readonly #options: ClientOptions;
  readonly #events: Emitter<ParleyEvents> = createEmitter();
  readonly #sessions: Sessions;
  readonly #topics: Session["topics"];
  readonly #nextId = startUlids();
  readonly #ready = Promise.withResolvers<void>();
  readonly #sender: Sender;
  readonly #requests: Requests;
  readonly #receipts: Receipts;
  readonly #conversations: Conversations;
  readonly #askHistory: AskHistory;
  readonly #inbox: Inbox;
  readonly #heads: Heads;
  readonly #deviceState: DeviceState;
  readonly #connection: Connection;
  readonly #startsFromCache: boolean;
  /** when the last sync that asked for marks was made, in the server's time */
  #syncedAt: number | undefined;
  #state: ClientState = "connecting";
  #closed = false;

  constructor({ options, listeners, sessions, kept, cached, troubles = [] }: ClientParts) {
    this.#options = options;
    this.#sessions = sessions;
    const { uid, clientId, topics } = sessions.current();
    this.uid = uid;
    this.clientId = clientId;
    this.#topics = topics;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    this.on = this.#events.on;
    for (const [event, listener] of Object.entries(listeners)) this.on(event as "sent", listener as () => void);
    this.#sender = startSender({
      store: options.store,
      kept,
      publish: (packet, done) => this.#connection.publish(topics.publish.msg, packet, done),
      onSent: (ack) => this.#events.emit("sent", ack),
      onFailed: (failure) => this.#events.emit("failed", failure),
    });
    this.#requests = startRequests({
      publish: (packet) => this.#connection.publish(topics.publish.rpc, packet),
      nextId: this.#nextId,
      maxBytes: options.maximumPacketSize,
    });
    this.#receipts = startReceipts({
      publish: (packet, done) => this.#connection.publish(topics.publish.receipt, packet, done),
    });
    this.#conversations = startConversations({
      store: options.cache,
      kept: cached?.conversations,
      messages: options.cachedMessages,
      onTrouble: (error) => this.#events.emit("error", error),
    });
    this.#startsFromCache = this.#conversations.list().length > 0;
    // Other cursors than the cache's speak of conversations whose state it may lack.
    if (!options.cursors) this.#syncedAt = cached?.syncedAt;
    this.#askHistory = startAskHistory({
      byMqtt: (method, params) => this.request(method, params),
      byHttp: (method, params) => this.#call(method, params),
    });
    this.#inbox = startInbox({
      cursors: this.#cursorsAtStart(),
      getHistory: this.#askHistory.get,
      show: (message) => this.#show(message),
    });
    this.#heads = startHeads({
      synchronize: (returning) => this.#synchronize(returning),
      onSyncing: () => this.#setState("syncing"),
      onSynced: () => this.#setSynced(),
    });
    this.#deviceState = startDeviceState({
      publish: (state) => this.#connection.publish(topics.publish.state, state),
      listen: (active) => this.#connection.listen(topics.subscribe[1] ?? "", active),
    });
    for (const error of troubles) this.#events.emit("error", error);
    this.#connection = this.#connect();
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Messages that are not acknowledged yet. */
  get unsent(): number {
    return this.#sender.size();
  }

  /** Their contents, in the order in which they were sent. */
  unsentMessages(): OutgoingMessage["packet"][] {
    return this.#sender.unsent().map(({ packet }) => packet);
  }

  /** What this device knows of its conversations: from its cache at first, from the server as soon as it is there. */
  conversations(): CachedConversation[] {
    return this.#conversations.list();
  }

  /** One of them. */
  conversation(conv: string): CachedConversation | undefined {
    return this.#conversations.find(conv);
  }

  /** conv → last seq shown; hand them in again as `cursors`. */
  cursors(): Record<string, number> {
    return this.#inbox.cursors();
  }

  /**
   * Sends to `user/{uid}`, `user/{uid}/client/{clientId}` or `room/{id}`; a text may stand for its content. Resolves
   * with its position once it is stored, however long that takes. Rejects only when the message is not stored and never
   * will be: refused for good, not kept by the outbox's store, or one too many (`rate_limited`, while 10,000 wait).
   * After `close` a message that was sent, or that the store keeps, may be stored at any time: its promise stays open.
   */
  async send(to: string, content: Content, fields: SendOptions = {}): Promise<Ack> {
    if (this.#closed) throw new AppError("unavailable", "the client is closed");
    return this.#sender.send(outgoing(this.uid, fields.id ?? this.#nextId(), to, content, fields));
  }

  /** Has the server send a message at that time (unix ms), with or without this device. Needs a connection, unlike `send`. */
  schedule(to: string, content: Content, at: number, fields: SendOptions = {}): Promise<Scheduled> {
    const { packet } = outgoing(this.uid, fields.id ?? this.#nextId(), to, content, fields);
    return this.request(messagesSchedule, { at, message: packet });
  }

  /**
   * Changes the text of a message that the user sent; `to` is where it was sent. `mentions`: whom it mentions from now on, as in a message's
   * content. Resolves as `send` does.
   */
  edit(to: string, seq: number, data: unknown, { mentions }: { mentions?: string[] } = {}): Promise<Ack> {
    return this.send(to, { type: "edit", seq, data, ...(mentions && { mentions }) });
  }

  /** Takes a message back for all: the user's own, or in a room another's, by its owners and admins. */
  recall(to: string, seq: number): Promise<Ack> {
    return this.send(to, { type: "recall", seq });
  }

  /** From now on messages of a conversation disappear so long after they were sent or first read; null: they stay. */
  async setExpiry(conv: string, expiry: Expiry | null): Promise<void> {
    await this.request(conversationsSetExpiry, { conv, expiry });
  }

  /** Reacts to a message by an emoji or a short text, or takes that back. */
  react(to: string, seq: number, reaction: string, { remove = false } = {}): Promise<Ack> {
    return this.send(to, { type: "reaction", seq, data: reaction, ...(remove && { remove }) });
  }

  /** Answers a message of the conversation. */
  reply(to: string, seq: number, content: Content): Promise<Ack> {
    return this.send(to, content, { reply: seq });
  }

  /** Sends a message that the user may read on, as it is now: a request, so that it is not kept in the outbox. */
  forward(conv: string, seq: number, to: string): Promise<ResultOf<typeof messagesForward>> {
    return this.request(messagesForward, { conv, seq, to });
  }

  /** Votes in a poll, in place of an earlier vote, for options counted from 0; none takes it back. */
  vote(to: string, seq: number, options: number[]): Promise<Ack> {
    return this.send(to, { type: "vote", seq, options });
  }

  /** Ends a poll: the user's own, or in a room another's, by its owners and admins. */
  closePoll(to: string, seq: number): Promise<Ack> {
    return this.send(to, { type: "close", seq });
  }

  /**
   * Stores a file: its `id` is what `content.file` of a message says. A large one goes on after lost connections. Throws an
   * AppError.
   */
  upload(bytes: FileBytes, options: UploadOptions = {}): Promise<Attachment> {
    const token = async () => (await this.#sessions.fresh()).token;
    return uploadFile(this.#options.url, token, bytes, options);
  }

  /**
   * Stores a file as `upload` does, and answers what a message with it has as its content: the file, and where the server knows it within
   * `waitMs` how large it is to be shown, how long it lasts, its waveform and thumbnail. Throws an AppError, or the signal's reason.
   */
  async uploadContent(bytes: FileBytes, options: UploadOptions & KnownOptions = {}): Promise<FileContent> {
    const attachment = await this.upload(bytes, options);
    return knownContent(attachment, (id) => this.#call(attachmentsInfo, { id }), options);
  }

  /** The bytes of a file that was sent, by its id or `url`, as the body of the answer. Throws an AppError. */
  async download(file: string, options: DownloadOptions = {}): Promise<Response> {
    const { token } = await this.#sessions.fresh();
    return downloadFile(this.#options.url, token, file, options);
  }

  /** All that the server keeps of the user, as a ZIP: the body of the answer, which fails if it is cut. Throws an AppError. */
  async exportAccount(options: Pick<DownloadOptions, "signal"> = {}): Promise<Response> {
    return exportAccount(this.#options.url, (await this.#sessions.fresh()).token, options);
  }

  /** Moves the user's read mark forward; others are told at most once a second. */
  markRead(conv: string, seq: number): void {
    this.#conversations.marked(conv, this.#receipts.mark(conv, { delivered: seq, read: seq }));
  }

  typing(conv: string, state: "composing" | "paused" | "recording" = "composing"): void {
    const packet: Omit<TypingNotice, "type" | "uid"> = { conv, state };
    this.#connection.publishEphemeral(this.#topics.publish.typing, packet);
  }

  /** What the device says of itself, on every connection to come too. An inactive one gets no typing and presence. */
  setDeviceState(state: StatePacket): void {
    this.#deviceState.say(state);
  }

  /** Calls a method by MQTT. Throws an AppError: the server's, or `unavailable` after 30 s without an answer. */
  request<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    return this.#requests.request(method.name, params as object) as Promise<ResultOf<M>>;
  }

  /** Connects anew at once, with the session's present token: for when the application knows that the link is dead. */
  renew(): void {
    this.#connection.renew();
  }

  /**
   * Sends what can be sent at once, and ends the connection; resolves when cache and outbox have taken all that they
   * were told. No event tells of it.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#state = "offline";
    this.#receipts.close();
    this.#heads.close();
    this.#inbox.close();
    this.#sessions.close();
    await this.#connection.close();
    await this.#conversations.close();
    const kept = this.#sender.close();
    this.#requests.close();
    this.#ready.reject(new AppError("unavailable", "the client was closed"));
    await kept;
  }

  // By HTTP, which needs no connection.
  async #call<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    return callHttp(this.#options.url, method, params, { token: (await this.#sessions.fresh()).token });
  }

  #connect(): Connection {
    return new Connection({
      sessions: this.#sessions,
      transport: this.#options.transport ?? defaultTransport(this.#options.url),
      maximumPacketSize: this.#options.maximumPacketSize,
      onConnecting: () => this.#setState("connecting"),
      onSubscribed: () => this.#setOnline(true),
      onLost: () => {
        this.#setOnline(false);
        this.#setState("offline");
      },
      onPacket: (topic, payload) => this.#take(topic, payload),
      onRefused: (error) => {
        this.#ready.reject(error);
        this.#events.emit("refused", error);
      },
      onTrouble: (error) => this.#events.emit("error", error),
    });
  }

  #setOnline(online: boolean): void {
    for (const part of [this.#sender, this.#requests, this.#receipts]) part.setOnline(online);
    if (!online) this.#inbox.setFilling(false);
    this.#heads.setOnline(online);
    this.#deviceState.setOnline(online);
  }

  #setState(state: ClientState): void {
    if (this.#state === state || this.#closed) return;
    this.#state = state;
    this.#events.emit("state", state);
  }

  #setSynced(): void {
    this.#inbox.setFilling(true);
    this.#setState("online");
    this.#ready.resolve();
  }

  #cursorsAtStart(): Readonly<Record<string, number>> | undefined {
    const kept = this.#conversations.list();
    for (const { conv, marks, state } of kept) if (marks) this.#receipts.remember(conv, marks, state?.readSeq);
    if (this.#options.cursors || kept.length === 0) return this.#options.cursors;
    return Object.fromEntries(kept.map(({ conv, cursor }) => [conv, cursor]));
  }

  async #synchronize(returning: boolean): Promise<void> {
    if (this.#options.from === "now" && !this.#options.cursors && !this.#startsFromCache)
      await this.#inbox.startFrom(this.#askHistory.heads);
    const marks = this.#syncedAt === undefined ? "all" : { since: this.#syncedAt };
    const { at, kept } = await syncAll({
      ask: this.#askHistory.sync,
      cursors: () => this.#inbox.cursors(),
      apply: (conversation, madeAt) => this.#applySynced(conversation, madeAt),
      marks: returning ? marks : undefined,
    });
    if (!returning || at === undefined) return;
    if (kept) this.#events.emit("kept", kept);
    this.#syncedAt = at;
    this.#conversations.syncedAll(at);
  }

  #applySynced(conversation: SyncedConversation, at: number | undefined): void {
    this.#inbox.synced(conversation);
    const { messages: _, ...rest } = conversation;
    const { conv, readSeq, lastSeq } = rest;
    this.#receipts.told(conv, { read: readSeq, lastSeq });
    this.#conversations.synced(conversation, this.#inbox.cursor(conv), at);
    this.#events.emit("conversation", rest);
  }

  #show(message: Message): void {
    this.#events.emit("message", message);
    const change = changeOf(message);
    if (change) this.#events.emit("change", change);
    this.#conversations.shown(message);
    if (this.#options.sendDelivered !== false && message.from !== this.uid)
      this.#receipts.mark(message.conv, { delivered: message.seq });
  }

  #take(topic: string, payload: Uint8Array): void {
    const incoming = readIncoming(payload);
    const ownDevice = topic === this.#topics.subscribe[2];
    if (incoming.kind === "message") this.#inbox.receive(incoming.packet);
    else if (incoming.kind === "ack" && ownDevice) this.#sender.acked(incoming.packet);
    else if (incoming.kind === "nack" && ownDevice) this.#takeNack(incoming.packet);
    else if (incoming.kind === "answer" && ownDevice) this.#requests.answered(incoming.packet);
    else if (incoming.kind === "too_large") this.#takeTooLarge(incoming.packet);
    else if (incoming.kind === "receipt") this.#takeReceipt(incoming.packet);
    else if (incoming.kind === "roster.changed") this.#events.emit("roster", incoming.packet.contact);
    else if (incoming.kind === "conversation") this.#takeOwn(incoming.packet);
    else if (isToldAsItIs(incoming)) this.#events.emit(incoming.kind, incoming.packet as never);
  }

  #takeReceipt(packet: ReceiptNotice): void {
    if (packet.uid === this.uid) this.#receipts.told(packet.conv, packet);
    this.#events.emit("receipt", packet);
  }

  #takeOwn(packet: ConversationNotice): void {
    this.#conversations.owned(packet);
    this.#events.emit("own", packet);
  }

  // A message that this device's connection cannot carry is fetched; of anything else the next sync has it.
  #takeTooLarge({ conv, seq }: TooLargeNotice): void {
    if (typeof conv === "string" && Number.isSafeInteger(seq)) this.#inbox.lacks(conv, seq as number);
  }

  #takeNack(packet: NackPacket): void {
    if (this.#sender.nacked(packet)) return;
    const error = AppError.fromWire({ code: packet.code, message: packet.message });
    if (this.#receipts.refused(packet.id, error.code)) return;
    if (!this.#requests.refused(packet.id, error)) this.#events.emit("error", error);
  }
}
