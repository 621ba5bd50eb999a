// Tells the other side of a user's p2p conversations that the user came, went or changed; and a new device who is there.
import {
  type BlockChanged,
  limits,
  type NotifyRequest,
  type PeersRequest,
  type PresenceNotice,
  subjects,
} from "@parley/protocol";
import { type Logger, type NatsConnection, natsConnected, openTurns, requestJson } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import type { Told } from "./session-script.ts";

export interface Notices {
  /** Tells who is online of the user's peers. `since`: unix ms at which it came to be. */
  tell(uid: string, told: Told, since: number): void;
  /** After a while, tells the device which of its user's peers are online. */
  greet(uid: string, clientId: string): void;
  /** To each of two peers the other looks offline while one has blocked the other, and as it is when nobody has. */
  tellBlock(changed: BlockChanged): void;
  /** Asks anew who the peers of these two are. */
  forget(changed: BlockChanged): void;
  close(): Promise<void>;
}

export interface NoticesOptions {
  nats: NatsConnection;
  told(uids: readonly string[]): Promise<Map<string, Told>>;
  greetDelayMs: number;
  log: Logger;
}

const atOnce = 16;
const waitingJobs = 20_000;
const peersMs = 5000;

/** Best effort, as all that is ephemeral: what history or Redis does not answer is not told. */
export function openNotices({ nats, told, greetDelayMs, log }: NoticesOptions): Notices {
  const peersKnown = new LRUCache<string, string[]>({ max: 10_000, ttl: peersMs });
  const turns = openTurns({ atOnce, waitingMax: waitingJobs });
  const running = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  let closed = false;

  async function onlinePeers(uid: string): Promise<Map<string, Told>> {
    let peers = peersKnown.get(uid);
    if (!peers) {
      peers = await askPeers({ uid });
      peersKnown.set(uid, peers);
    }
    return told(peers);
  }

  async function askPeers(asked: PeersRequest): Promise<string[]> {
    const { uids } = await requestJson<{ uids: string[] }>(nats, subjects.peers, asked, { timeoutMs: 2000 });
    return uids.filter((peer) => peer !== asked.uid).slice(0, limits.presencePeers);
  }

  async function start(job: () => Promise<void>): Promise<void> {
    const done = await turns.take({ isWanted: () => !closed });
    if (!done) return;
    const work = job()
      .catch((error: unknown) => log.debug({ event: "not_told", reason: String(error) }))
      .finally(() => {
        running.delete(work);
        done();
      });
    running.add(work);
  }

  function notify(request: NotifyRequest): void {
    if (natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
  }

  return {
    tell(uid, state, since) {
      void start(async () => {
        const uids = [...(await onlinePeers(uid)).keys()];
        const packet = notice(uid, state, state.show === "offline" ? since : null);
        if (uids.length > 0) notify({ uids, channel: "e", packet });
      });
    },
    greet(uid, clientId) {
      if (timers.size >= waitingJobs) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        void start(async () => {
          for (const [peer, state] of await onlinePeers(uid))
            notify({ device: { uid, clientId }, channel: "e", packet: notice(peer, state, null) });
        });
      }, greetDelayMs);
      timers.add(timer);
    },
    tellBlock({ owner, other, blocked }) {
      void start(async () => {
        // Strangers are told nothing; of who was unblocked only if the other has not blocked too.
        const peers = await askPeers({ uid: owner, ...(blocked ? { all: true } : {}) });
        if (!peers.includes(other)) return;
        const states = await told([owner, other]);
        for (const [uid, to] of [
          [owner, other],
          [other, owner],
        ] as const) {
          const state = states.get(uid);
          if (!state) continue;
          const packet = blocked ? notice(uid, { show: "offline", status: "" }, Date.now()) : notice(uid, state, null);
          notify({ uids: [to], channel: "e", packet });
        }
      });
    },
    forget({ owner, other }) {
      peersKnown.delete(owner);
      peersKnown.delete(other);
    },
    async close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running);
    },
  };
}

function notice(uid: string, { show, status }: Told, lastSeen: number | null): PresenceNotice {
  return { type: "presence", uid, show, ...(status ? { status } : {}), lastSeen };
}
