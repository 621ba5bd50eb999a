// A stock device that says things until each has its answer: an ack, or a refusal that counts as one.
import type { JsonObject } from "@parley/protocol";
import type { Said } from "../checker/record.ts";
import { connectDevice } from "./device.ts";
import type { Session } from "./people.ts";

export interface Speaking {
  said: readonly Said[];
  /** Messages without an answer. */
  unanswered(): number;
  stopNew(): void;
  stop(): void;
  close(): Promise<void>;
}

export interface SpeakingOptions {
  session: Session;
  everyMs?: number;
  /** refusals that are an answer; with any other one it says the same again later */
  final: readonly string[];
  /** What it says as its n-th message under this id, with its address. */
  say(id: string, n: number): JsonObject;
}

const againMs = 3_000;
const nackWaitMs = 400;
const mostWaiting = 10;

export async function startSpeaking({ session, everyMs = 60, final, say }: SpeakingOptions): Promise<Speaking> {
  const said: Said[] = [];
  const waiting = new Map<string, { one: Said; packet: string; againAt: number }>();
  let isActive = true;
  const device = await connectDevice({ session, version: 4, onPacket: take });

  function take({ id, type, code, conv, seq, ts }: JsonObject): void {
    const known = waiting.get(String(id));
    if (!known || (type !== "ack" && type !== "nack")) return;
    if (type === "nack" && !final.includes(String(code))) {
      // Not now: again with the same id.
      known.againAt = performance.now() + nackWaitMs;
      return;
    }
    const place = type === "ack" ? { conv: String(conv), seq: Number(seq), ts: Number(ts) } : undefined;
    Object.assign(known.one, { answer: place ? "stored" : "refused", answeredAt: performance.now() });
    if (place) known.one.place = place;
    waiting.delete(known.one.id);
  }

  function tick(): void {
    const now = performance.now();
    if (device.connectedAt() === undefined) return;
    if (isActive && waiting.size < mostWaiting) {
      const one: Said = { id: `${session.clientId}-${said.length}`, firstAt: now };
      const packet = JSON.stringify({ id: one.id, ...say(one.id, said.length) });
      said.push(one);
      waiting.set(one.id, { one, packet, againAt: now });
    }
    for (const known of waiting.values()) {
      if (known.againAt > now) continue;
      known.againAt = now + againMs;
      device.publish(session.topics.publish.msg, known.packet);
    }
  }

  const timer = setInterval(tick, everyMs);
  return {
    said,
    unanswered: () => waiting.size,
    stopNew() {
      isActive = false;
    },
    stop: () => clearInterval(timer),
    close: () => device.close(),
  };
}
