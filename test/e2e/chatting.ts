// Two people who chat while something happens to the cluster, and the account of it afterwards.
import assert from "node:assert/strict";
import { type Ack, callHttp, type Message } from "@parley/client";
import { historyGet } from "@parley/protocol";
import { type Cluster, eventually, type TestContext } from "@parley/testkit";
import { logIn } from "./mosquitto.ts";
import { connectAs, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

/** One direction between two devices, whatever they are. */
export interface Voice {
  /** Resolves with the server's promise, however long that takes. */
  say(id: string, text: string): Promise<Pick<Ack, "id" | "seq">>;
  /** What the other side was given, in order. */
  heard(): readonly Message[];
  /** It is given each message once and in order: a stock client may be given some again. */
  exact: boolean;
}

export interface Chatting {
  conv: string;
  /** Resolves when something written from now on is acknowledged and heard: nobody restarted a device for it. */
  goesOn(options?: { timeoutMs?: number }): Promise<void>;
  /** Stops, and compares: acknowledged ⊆ stored ⊆ heard, no gap, nothing twice. */
  settle(): Promise<void>;
}

const everyMs = 25;
const recoveryMs = 60_000;

/** Chats through the SDK; `alice` writes. */
export async function chatBySdk(t: TestContext, cluster: Cluster, alice: string, bob: string): Promise<Chatting> {
  await registerAll(cluster, alice, bob);
  const a = await connectAs(t, cluster, alice);
  const b = await connectAs(t, cluster, bob);
  const say = (id: string, text: string) => a.client.send(`user/${bob}`, text, { id });
  return chat(t, cluster, { say, heard: () => b.shown, exact: true }, alice, bob);
}

/** Chats by MQTT.js, with nothing of ours on the device; `alice` writes. */
export async function chatByStock(t: TestContext, cluster: Cluster, alice: string, bob: string): Promise<Chatting> {
  await registerAll(cluster, alice, bob);
  const a = await openStock(t, await logIn(cluster, alice, "stock"));
  const b = await openStock(t, await logIn(cluster, bob, "stock"));
  const say = (id: string, data: string) => a.send({ id, to: `user/${bob}`, content: { type: "text", data } });
  return chat(t, cluster, { say, heard: b.messages, exact: false }, alice, bob);
}

function chat(t: TestContext, cluster: Cluster, voice: Voice, alice: string, bob: string): Chatting {
  const conv = `p2p/${[alice, bob].sort().join("/")}`;
  const sending: Promise<Pick<Ack, "id" | "seq">>[] = [];
  const acked: number[] = [];
  const timer = setInterval(() => {
    const n = sending.length;
    const sent = voice.say(`n${n}`, `text ${n}`);
    sent.then(
      ({ seq }) => (acked[n] = seq),
      () => {},
    );
    sending.push(sent);
  }, everyMs);
  t.after(() => clearInterval(timer));
  const isHeard = (seq: number) => voice.heard().some((message) => message.seq === seq);
  return {
    conv,
    async goesOn({ timeoutMs = recoveryMs } = {}) {
      const from = sending.length;
      // Not always the first: a stock client is not given what came while it was away from a broker that forgot it.
      await eventually(() => acked.slice(from).some((seq) => seq !== undefined && isHeard(seq)), { timeoutMs });
    },
    async settle() {
      clearInterval(timer);
      await eventually(() => acked.filter((seq) => seq !== undefined).length === sending.length, {
        timeoutMs: recoveryMs,
      });
      const acks = await Promise.all(sending);
      const stored = await readConversation(cluster, alice, conv);
      assert.deepEqual(
        stored.map(({ seq }) => seq),
        stored.map((_, index) => index + 1),
        "seq has no gap",
      );
      for (const { id, seq } of acks) assert.equal(stored[seq - 1]?.id, id, `${id} was acknowledged as ${seq}`);
      assert.equal(stored.length, acks.length, "nothing is stored twice");
      if (!voice.exact) return;
      await eventually(() => isHeard(stored.length), { timeoutMs: recoveryMs });
      assert.deepEqual(
        voice.heard().map(({ seq }) => seq),
        stored.map(({ seq }) => seq),
        "everything is heard, once and in order",
      );
    },
  };
}

/** A conversation as history has it, over HTTP. */
export async function readConversation(cluster: Cluster, uid: string, conv: string): Promise<Message[]> {
  const { token } = await logIn(cluster, uid, "reader");
  const messages: Message[] = [];
  for (;;) {
    const after = messages.at(-1)?.seq ?? 0;
    const page = await callHttp(cluster.run().http, historyGet, { conv, after, limit: 500 }, { token });
    messages.push(...page.messages);
    if (!page.more) return messages;
  }
}
