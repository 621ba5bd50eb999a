// The port that a router hands to a dialect, as its dialect's tests see it: what is asked is checked as the router and the methods' owners
// check it, and written down; answers are the test's own, of the methods' schemas.
import assert from "node:assert/strict";
import type { Static, TObject, TSchema } from "typebox";
import { checkOf } from "../src/check.ts";
import type { Asked, Outgoing, Parley, Published, Said, Stored } from "../src/dialects/dialect.ts";
import { AppError } from "../src/errors.ts";
import { addressOf, convOf } from "../src/ids.ts";
import type { Method } from "../src/methods/method.ts";
import { refuseContent } from "../src/packets/content.ts";
import { checkMessage, checkReceipt, checkState, checkTyping } from "../src/packets/uplink.ts";
import { isNativeTopic } from "../src/topics.ts";
import type { Tree } from "../src/trees.ts";

export type Ask = [what: string, asked: unknown];

export interface RecordedParley extends Parley {
  /** in order: `send`, `receipt`, `typing`, `state`, or a method's name */
  asks: Ask[];
  said: Said[];
  filters: string[];
  /** of `asked.packet`, for each `send` */
  packets: (Published | undefined)[];
  /** Answers a method; a thrown AppError is the refusal. */
  answer<P extends TObject, R extends TSchema>(
    method: Method<P, R>,
    how: (params: Static<P>) => Static<R> | Promise<Static<R>>,
  ): void;
  /** The first refusal of a message with this in `to`. */
  refuse(to: string, error: AppError): void;
}

export function recordParley(uid: string, filters: string[]): RecordedParley {
  const answers = new Map<string, (params: never) => unknown>();
  const refusals = new Map<string, AppError>();
  const lastSeq = new Map<string, number>();
  const wrong = (checked: unknown) => (checked instanceof AppError ? checked : undefined);
  const port: RecordedParley = {
    publicUrl: "https://chat.example",
    guests: [{ name: "chat", prefix: "chat" }],
    asks: [],
    said: [],
    packets: [],
    filters,
    wasTold: () => true,
    async send(message: Outgoing, asked?: Asked): Promise<Stored | AppError> {
      port.asks.push(["send", message]);
      port.packets.push(asked?.packet);
      const refused = wrong(checkMessage(message)) ?? refuseContent(message) ?? refusals.get(message.to);
      if (refused) return refused;
      const conv = convOf(uid, addressOf(message.to));
      const seq = (lastSeq.get(conv) ?? 0) + 1;
      lastSeq.set(conv, seq);
      return { id: message.id ?? `made-${seq}`, conv, seq, ts: 1_700_000_000_000 + seq };
    },
    async call(method, params) {
      port.asks.push([method.name, params]);
      const refused = wrong(method.checkParams(params));
      if (refused) throw refused;
      const answer = answers.get(method.name);
      if (!answer) throw new AppError("not_found");
      const result = await answer(params as never);
      const badAnswer = wrong(checkOf(method.result)(result));
      assert.equal(badAnswer, undefined, `a test's answer to ${method.name}: ${badAnswer?.message}`);
      return result as never;
    },
    receipt: (receipt) => note("receipt", receipt, checkReceipt(receipt)),
    typing: (typing) => note("typing", typing, checkTyping(typing)),
    state: (state) => note("state", state, checkState(state)),
    isUserName: async (name) => name.toLowerCase() === "alice",
    renewToken: async () => "a-new-token",
    async say(said) {
      port.said.push(said);
    },
    marks: { read: async () => new Map(), move: () => undefined, kept: async () => undefined },
    hears: (topic) =>
      port.filters.some(
        (filter) => matches(filter.split("/"), topic.split("/")) && (isNativeTopic(filter) || !isNativeTopic(topic)),
      ),
    answer: (method, how) => void answers.set(method.name, how as never),
    refuse: (to, error) => void refusals.set(to, error),
  };

  async function note(what: string, asked: unknown, checked: unknown): Promise<void> {
    port.asks.push([what, asked]);
    const refused = wrong(checked);
    if (refused) throw refused;
  }
  return port;
}

function matches(filter: readonly string[], levels: readonly string[]): boolean {
  const rest = filter.indexOf("#");
  if (rest < 0 && filter.length !== levels.length) return false;
  return (rest < 0 ? filter : filter.slice(0, rest)).every((one, at) => one === "+" || one === levels[at]);
}

export function treeOf(uid: string, clientId = uid): Tree {
  const name = { p: "0", owner: "user" as const, uid, clientId };
  return { ...name, accounts: [uid], persistent: true, connectedAt: Date.now(), version: 1, filters: [] };
}

const encoder = new TextEncoder();

export function published(topic: string, payload: unknown, more: Partial<Published> = {}): Published {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return { topic, payload: encoder.encode(text), dup: false, properties: {}, ...more };
}

/** A stored message as a router hands it to a dialect. */
export function stored(
  conv: string,
  seq: number,
  from: string,
  content: { type: string } & Record<string, unknown>,
  more: object = {},
) {
  const place = { conv, seq, from, device: from, ts: 1_700_000_000_000 + seq, id: `n-${seq}`, to: "user/x" };
  return { ...place, content, ...more };
}
