// A device of SlimChat against a port of Parley that notes what it is asked for.

import type { Outgoing, Parley, Published, Stored } from "../../src/dialects/dialect.ts";
import { slimchat } from "../../src/dialects/slimchat/index.ts";
import { AppError } from "../../src/errors.ts";
import type { Tree } from "../../src/trees.ts";

const publicUrl = "https://chat.example";
const tree: Tree = {
  p: "0",
  uid: "jack",
  clientId: "livehub-android-1",
  owner: "user",
  accounts: ["jack"],
  persistent: true,
  connectedAt: 1,
  filters: [],
  version: 1,
};
export const ownTopic = "$IM/user/jack/client/livehub-android-1";
export type Packet = Record<string, unknown>;
type Answers = { send?: (message: Outgoing) => Stored | AppError; call?: (name: string) => unknown };

/** A device, what it had Parley do, and what it was told. */
export function openDevice({ send, call }: Answers = {}, more: Partial<Tree> = {}) {
  const done: [what: string, with_: unknown][] = [];
  const told: { topic: string; packet: Packet }[] = [];
  const note = (what: string, value: unknown) => void done.push([what, value]);
  const parley = {
    publicUrl,
    send: async (message: Outgoing) => {
      note("send", message);
      return send?.(message) ?? { id: message.id ?? "made", conv: convOf(message.to), seq: 7, ts: 1_938_294_828 };
    },
    call: async ({ name }: { name: string }, params: unknown) => {
      note(name, params);
      const answer = call?.(name);
      if (answer instanceof AppError) throw answer;
      return answer ?? {};
    },
    receipt: async (receipt: unknown) => note("receipt", receipt),
    typing: async (typing: unknown) => note("typing", typing),
    state: async (state: unknown) => note("state", state),
    say: async ({ topic, payload }: { topic: string; payload: string }) =>
      void told.push({ topic, packet: JSON.parse(payload) as Packet }),
    hears: () => true,
  } as unknown as Parley;
  const speaker = slimchat.open({ ...tree, ...more }, parley);
  const publish = (topic: string, packet: unknown, more: Partial<Published> = {}) =>
    speaker.take({
      topic,
      payload: new TextEncoder().encode(typeof packet === "string" ? packet : JSON.stringify(packet)),
      dup: false,
      properties: {},
      ...more,
    });
  const render = async (packet: Packet) =>
    (await speaker.render(packet)).map(({ topic, payload }) => ({
      topic,
      packet: JSON.parse(payload as string) as Packet,
    }));
  return { done, told, publish, render, speaker };
}
const convOf = (to: string) => (to.startsWith("room/") ? to : `p2p/${["jack", to.split("/")[1]!].sort().join("/")}`);
export const text = { type: "text", data: "blablabla…" };
/** As the draft shows one. */
export const ofDraft = {
  id: "akx292akak229",
  from: "uid:1",
  to: "vid:1",
  type: "chat",
  thread: "threadid",
  content: text,
};
