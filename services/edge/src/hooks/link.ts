// One link to an auth-webhook: questions of one turn leave in one write, and are answered in any order.
import { type ClientRequest, request } from "node:http";
import type { Socket } from "node:net";
import { HookLines, hookLink, readHookAnswer, writeHookQuestion } from "@parley/protocol";

/** What was answered, or why nothing was. */
export type LinkAnswer = { body: unknown; maxAgeSeconds: number } | { failed: string };

interface Asked {
  at: number;
  settle(answer: LinkAnswer): void;
}

/** What both sides have of their own folder of secrets. */
const otherSecret = "auth-webhook does not take hook-secret: the folder PARLEY_SECRETS has another one here than there";
const statusFaults: Readonly<Record<number, string>> = {
  403: otherSecret,
  404: "auth-webhook has no link for the edge: it is of an earlier version, and is to be upgraded first",
};

/** By then a link is dialled anew, so that replicas that came since get their share. */
const longestMs = 600_000;

/** Dialled when it is first needed, and anew when it was lost; a replica that is about to end gets no more questions. */
export class Link {
  readonly #base: string;
  readonly #secret: string;
  #wire: Wire | undefined;

  constructor(base: string, secret: string) {
    this.#base = base;
    this.#secret = secret;
  }

  /** Never rejects. */
  ask(hook: string, body: object, timeoutMs: number): Promise<LinkAnswer> {
    this.#wire?.endIfOld();
    if (this.#wire === undefined || this.#wire.isOver) this.#wire = new Wire(this.#base, this.#secret);
    return this.#wire.ask(hook, body, timeoutMs);
  }

  close(): void {
    this.#wire?.fail("closed");
    this.#wire = undefined;
  }
}

class Wire {
  /** it takes no more questions */
  isOver = false;
  readonly #oldAt = performance.now() + (longestMs * (1 + Math.random())) / 2;
  readonly #asked = new Map<number, Asked>();
  readonly #dialling: ClientRequest;
  readonly #lines = new HookLines();
  #socket: Socket | undefined;
  #waiting: string[] = [];
  #willSend = false;
  #nextId = 1;
  #heardAt = 0;

  constructor(base: string, secret: string) {
    const headers = { authorization: `Bearer ${secret}`, connection: "Upgrade", upgrade: hookLink.upgrade };
    const url = new URL(base.replace(/\/+$/, "") + hookLink.path);
    this.#dialling = request(url, { agent: false, headers })
      .on("upgrade", (_, socket: Socket, head: Buffer) => this.#open(socket, head))
      .on("response", ({ statusCode = 0 }) => this.fail(statusFaults[statusCode] ?? `status_${statusCode}`))
      .on("error", (error: NodeJS.ErrnoException) => this.fail(error.code ?? error.message));
    this.#dialling.end();
  }

  ask(hook: string, body: object, timeoutMs: number): Promise<LinkAnswer> {
    const id = this.#nextId++;
    this.#waiting.push(writeHookQuestion(id, hook, body));
    this.#sendSoon();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#late(id), Math.max(1, timeoutMs));
      const settle = (answer: LinkAnswer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#asked.set(id, { at: performance.now(), settle });
    });
  }

  endIfOld(): void {
    if (performance.now() < this.#oldAt) return;
    this.isOver = true;
    this.#endIfDone();
  }

  /** The end of it: nothing that was asked is answered any more. */
  fail(reason: string): void {
    this.isOver = true;
    this.#dialling.destroy();
    this.#socket?.destroy();
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { settle } of asked) settle({ failed: reason });
  }

  #open(socket: Socket, head: Buffer): void {
    this.#socket = socket;
    socket.setNoDelay(true).setTimeout(0);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => this.fail(error.code ?? error.message));
    socket.on("close", () => this.fail("ECONNRESET"));
    if (head.length > 0) this.#take(head);
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#willSend || this.#socket === undefined) return;
    this.#willSend = true;
    setImmediate(() => {
      this.#willSend = false;
      if (this.#socket?.writable && this.#waiting.length > 0) this.#socket.write(this.#waiting.join(""));
      this.#waiting = [];
    });
  }

  #take(chunk: Buffer): void {
    this.#heardAt = performance.now();
    const answers = this.#lines.push(chunk)?.map(readHookAnswer) ?? [undefined];
    for (const answer of answers) {
      if (answer === undefined) this.fail("malformed_answer");
      else if (answer === "ends") this.isOver = true;
      else this.#settle(answer.id, answer);
    }
    this.#endIfDone();
  }

  #settle(id: number, answer: LinkAnswer): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.settle(answer);
  }

  #late(id: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#settle(id, { failed: "timeout" });
    // Nothing at all has come since: whoever was there is gone or hangs.
    if (this.#heardAt < asked.at) this.fail("timeout");
    else this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.isOver && this.#asked.size === 0) this.#socket?.end();
  }
}
