// A CONNECT waits for its turn, and is judged again while hooks do not answer.
import { setTimeout as sleep } from "node:timers/promises";
import { backoffMs } from "@parley/protocol";
import { addressKey, type Turns } from "@parley/runtime";
import { type ConnectDecision, type ConnectRules, decideConnect, type Peer } from "./connect.ts";

export interface Waits {
  rules: ConnectRules;
  turns: Turns;
  /** how long it may wait for its turn, and for hooks that do not answer */
  connectWaitMs: number;
  isWanted(): boolean;
}

/** between two questions about one CONNECT while hooks do not answer */
const pauses = { baseMs: 200, maxMs: 2000 };

/** While hooks do not answer or are busy, a CONNECT is judged again. undefined: it got no turn in time. */
export async function judgeConnect(
  packet: Buffer,
  body: number,
  peer: Peer,
  { rules, turns, connectWaitMs, isWanted }: Waits,
): Promise<ConnectDecision | undefined> {
  const until = performance.now() + connectWaitMs;
  for (let attempt = 1; ; attempt++) {
    const judged = await turns.take({ key: addressKey(peer.address), isWanted });
    if (judged === undefined) return undefined;
    const decision = await decideConnect(packet, body, peer, rules).finally(judged);
    if (!("refused" in decision && decision.refused.silent) || performance.now() > until) return decision;
    await sleep(backoffMs(attempt, pauses));
  }
}
