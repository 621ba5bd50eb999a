// Two people beside the others: one blocks the other and lets it write again, over and over, while that one writes.
import { callHttp } from "@parley/client";
import { p2pConv, rosterBlock, rosterUnblock } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import type { Blocking } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { connectDevice } from "./device.ts";
import { makePeople, patiently } from "./people.ts";
import { callerOf, readConversation } from "./readers.ts";
import { startSpeaking } from "./speaking.ts";
import { wait } from "./wait.ts";

export interface Blocked {
  /** Messages without an answer. */
  unanswered(): number;
  /** The block is ended; then nothing new is said. */
  finish(): Promise<void>;
  stopNew(): void;
  /** What became of it, read with the eyes of the one who blocks. */
  record(): Promise<Blocking>;
  stop(): void;
  close(): Promise<void>;
}

const restMs = 1_000;

export async function startBlocking(cluster: Cluster, name: string, random: Random): Promise<Blocked> {
  const people = await makePeople(cluster, `${name}door-`, 2);
  const [owner = "", sender = ""] = people.uids;
  const conv = p2pConv(owner, sender);
  const live = new Map<string, number>();
  const listener = await connectDevice({
    session: await people.login(owner, "phone"),
    version: 5,
    onPacket({ conv: of, seq, id }) {
      if (of === conv && typeof seq === "number" && !live.has(String(id))) live.set(String(id), performance.now());
    },
  });
  const session = await people.login(sender, "phone");
  const say = (data: string) => ({ to: `user/${owner}`, content: { type: "text", data } });
  const speaking = await startSpeaking({ session, final: ["blocked"], say });
  const { token } = await people.login(owner, "http");
  const toggling = startToggling(cluster, { token, sender, random });
  return {
    unanswered: speaking.unanswered,
    finish: toggling.finish,
    stopNew: speaking.stopNew,
    async record() {
      const { messages } = await readConversation(callerOf(cluster, token), conv);
      const stored = new Set(messages.map(({ id }) => id));
      return { owner, sender, said: speaking.said, ...toggling.periods, stored, live };
    },
    stop() {
      speaking.stop();
      toggling.stop();
    },
    async close() {
      await Promise.all([listener.close(), speaking.close()]);
    },
  };
}

function startToggling(
  cluster: Cluster,
  { token, sender: id, random }: { token: string; sender: string; random: Random },
): { periods: Pick<Blocking, "blocked" | "open" | "refused">; finish(): Promise<void>; stop(): void } {
  const base = cluster.run().http;
  const periods = { blocked: [] as [number, number][], open: [] as [number, number][], refused: [] as string[] };
  const stopping = new AbortController();
  let changes = 0;
  let since: number | undefined;

  // Between its request and its answer either may be.
  async function change(method: typeof rosterBlock | typeof rosterUnblock): Promise<void> {
    const before = method === rosterBlock ? periods.open : periods.blocked;
    if (since !== undefined) before.push([since, performance.now()]);
    since = undefined;
    const idempotencyKey = `door-${id}-${changes++}`;
    const call = () => callHttp(base, method, { id }, { token, idempotencyKey });
    try {
      await patiently<unknown>(call);
      since = performance.now();
    } catch (error) {
      periods.refused.push(`${method.name} ${idempotencyKey}: ${(error as Error).message}`);
    }
  }

  const rest = () => wait(restMs + random.below(restMs), stopping.signal);
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await rest();
      await change(rosterBlock);
      await rest();
      await change(rosterUnblock);
    }
  })();
  return {
    periods,
    finish() {
      stopping.abort();
      return done;
    },
    stop: () => stopping.abort(),
  };
}
