// One conversation on the screen: what arrives is shown and marked read, what is typed is sent.
import { AppError, connectParley, type Message, type ParleyClient } from "@parley/client";
import { historyGet, parseConv } from "@parley/protocol";
import type { Connection } from "../account.ts";
import { describeFailure } from "../failure.ts";
import { formatMessage } from "../format.ts";
import type { Output } from "../output.ts";
import { stateListeners } from "../state-listeners.ts";
import { markText } from "./marks.ts";
import { openScreen, type Screen } from "./screen.ts";
import { workSlash } from "./slash.ts";

export interface ChatOptions {
  connection: Connection;
  /** where lines are sent to */
  to: string;
  conv: string;
  /** messages of before to show first */
  earlier: number;
  output: Output;
}

const typingEveryMs = 3_000;
const typingShownMs = 5_000;

/** Runs until the user leaves or stdin ends and everything is acknowledged; answers how many messages were refused. */
export async function runChat(options: ChatOptions): Promise<number> {
  const chat = new Chat(options);
  return chat.run();
}

class Chat {
  readonly #options: ChatOptions;
  readonly #output: Output;
  readonly #others = new Map<string, { delivered: number; read: number }>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #waiting: Message[] = [];
  #client: ParleyClient | undefined;
  #screen: Screen | undefined;
  #sending = 0;
  #stored = 0;
  #failed = 0;
  #shown = 0;
  #typist: { uid: string; timer: NodeJS.Timeout } | undefined;
  #lastTyping = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#output = { ...options.output, note: (text) => this.#note(text) };
  }

  async run(): Promise<number> {
    const client = await this.#connect();
    this.#client = client;
    try {
      await this.#showEarlier(client);
      this.#note(`chatting in ${this.#options.conv} as ${client.clientId}; /help lists commands`);
      this.#screen = openScreen({
        prompt: "› ",
        onLine: (line) => this.#takeLine(line),
        onEnd: () => this.#ended.resolve(),
        onTyping: () => this.#tellTyping(),
      });
      for (const message of this.#waiting.splice(0)) this.#show(message);
      await this.#ended.promise;
      // In a pipe the lines come faster than their acks.
      await this.#work;
    } finally {
      clearTimeout(this.#typist?.timer);
      this.#screen?.close();
      await client.close();
    }
    return this.#failed;
  }

  #connect(): Promise<ParleyClient> {
    const fail = (error: Error) => this.#ended.reject(error);
    return connectParley(
      { ...this.#options.connection, from: "now" },
      {
        ...stateListeners(this.#output, fail),
        message: (message) => (this.#screen ? this.#show(message) : this.#waiting.push(message)),
        receipt: ({ conv, uid, delivered, read }) => this.#takeReceipts(conv, [{ uid, delivered, read }]),
        conversation: ({ conv, receipts }) => this.#takeReceipts(conv, receipts),
        typing: ({ conv, uid, state }) => this.#showTyping(conv, uid, state),
      },
    );
  }

  async #showEarlier(client: ParleyClient): Promise<void> {
    const { conv, earlier } = this.#options;
    if (earlier === 0) return;
    try {
      const { messages } = await client.request(historyGet, { conv, limit: earlier });
      for (const message of messages) this.#show(message);
    } catch (error) {
      const { code } = AppError.from(error);
      // Nobody has written here yet.
      if (parseConv(conv)?.kind !== "room" && (code === "not_found" || code === "not_member")) return;
      throw error;
    }
  }

  #show(message: Message): void {
    const { conv } = this.#options;
    if (message.conv !== conv) this.#print(message, this.#output.style("dim", this.#format(message, true)));
    if (message.conv !== conv || message.seq <= this.#shown) return;
    this.#shown = message.seq;
    const own = message.from === this.#client?.uid;
    if (own) this.#stored = message.seq;
    else this.#client?.markRead(conv, message.seq);
    if (this.#typist?.uid === message.from) this.#showTyping(conv, message.from, "paused");
    this.#print(message, this.#format(message, false, own ? "✓" : ""));
    this.#showStatus();
  }

  #format(message: Message, withConv: boolean, mark = ""): string {
    return formatMessage(message, this.#output, { conv: withConv, mark });
  }

  #takeLine(line: string): void {
    if (line.trim() === "") return;
    const work = line.startsWith("/") && !line.startsWith("//") ? this.#workSlash(line) : this.#send(line);
    this.#work = Promise.all([this.#work, work]).then(() => {});
  }

  async #send(line: string): Promise<void> {
    const text = line.startsWith("//") ? line.slice(1) : line;
    this.#sending += 1;
    this.#showStatus();
    try {
      await this.#client?.send(this.#options.to, text);
    } catch (error) {
      this.#failed += 1;
      this.#complain(error, ` (not sent: ${text.slice(0, 40)})`);
    }
    this.#sending -= 1;
    this.#showStatus();
  }

  async #workSlash(line: string): Promise<void> {
    try {
      const answer = this.#client ? await workSlash(this.#client, this.#options.conv, line) : "";
      if (answer === "quit") this.#ended.resolve();
      else this.#note(answer);
    } catch (error) {
      this.#complain(error);
    }
  }

  #takeReceipts(conv: string, receipts: { uid: string; delivered: number; read: number }[]): void {
    if (conv !== this.#options.conv) return;
    for (const { uid, delivered, read } of receipts) {
      if (uid === this.#client?.uid) continue;
      this.#others.set(uid, { delivered, read });
      if (this.#output.json) this.#print({ type: "receipt", conv, uid, delivered, read }, "");
    }
    this.#showStatus();
  }

  #showTyping(conv: string, uid: string, state: string): void {
    if (conv !== this.#options.conv || uid === this.#client?.uid) return;
    clearTimeout(this.#typist?.timer);
    const timer = setTimeout(() => this.#showTyping(conv, uid, "paused"), typingShownMs);
    if (state === "paused") clearTimeout(timer);
    this.#typist = state === "paused" ? undefined : { uid, timer };
    this.#showStatus();
  }

  #tellTyping(): void {
    if (Date.now() - this.#lastTyping < typingEveryMs) return;
    this.#lastTyping = Date.now();
    this.#client?.typing(this.#options.conv);
  }

  #showStatus(): void {
    const marks = markText({ sending: this.#sending, stored: this.#stored, others: this.#others });
    const typing = this.#typist ? `${this.#typist.uid} is typing` : "";
    const status = [marks, typing].filter(Boolean).join(" · ");
    this.#screen?.setStatus(status && this.#output.style("dim", status));
  }

  #print(value: unknown, text: string): void {
    const line = this.#output.json ? JSON.stringify(value) : text;
    if (this.#screen) this.#screen.print(line);
    else process.stdout.write(`${line}\n`);
  }

  #note(text: string): void {
    if (this.#output.json) return;
    if (process.stdout.isTTY && this.#screen) this.#screen.print(this.#output.style("dim", text));
    else process.stderr.write(`${text}\n`);
  }

  #complain(error: unknown, more = ""): void {
    const text = describeFailure(error, this.#output.json) + (this.#output.json ? "" : more);
    if (process.stdout.isTTY && this.#screen) this.#screen.print(this.#output.style("red", text));
    else process.stderr.write(`${text}\n`);
  }
}
