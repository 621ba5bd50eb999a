// Tells routers of devices with trees: each that came, changed or went.
import { parseTreeUser, subjects, type Tree, type TreeEvent } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { type Logger, type NatsConnection, natsConnected, onNatsBack, upTo } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import type { Devices } from "../devices.ts";
import type { ToldTree } from "../sessions/sessions.ts";
import type { LiveTrees } from "./live.ts";

export interface TreeTelling {
  /** Tells every router; also keeps what is to be known of the device when it comes again. */
  told(told: ToldTree): void;
  /** Something of a connected device changed. */
  changed(clientId: string): void;
  /** The same, where it was read as it is now: routers are told at once. */
  here(tree: Tree): void;
  close(): Promise<void>;
}

export interface TreeTellingParts {
  nats: NatsConnection;
  live: Pick<LiveTrees, "of">;
  devices: Pick<Devices, "note">;
  /** Tells the device, after a while, who of its user's contacts is there. */
  greet(uid: string, clientId: string): void;
  log: Logger;
}

const greetedMax = 100_000;
/** What fails at once is told of once. */
const missedTurnMs = 200;

export function openTreeTelling({ nats, live, devices, greet, log }: TreeTellingParts): TreeTelling {
  const inHand = new Set<Promise<void>>();
  /** client id → which of its connections, by its time */
  const greeted = new LRUCache<string, number>(upTo(greetedMax));
  let saying: NodeJS.Timeout | undefined;

  function say(event: TreeEvent): void {
    if (natsConnected(nats)) nats.publish(subjects.treeEvent, JSON.stringify(event));
  }

  /** What was not told is in the list, which routers read then until they have it. */
  function sayMissed(): void {
    saying ??= setTimeout(() => {
      saying = undefined;
      if (natsConnected(nats)) nats.publish(subjects.treesMissed);
    }, missedTurnMs);
  }

  function here(tree: Tree): void {
    keepSession(devices, tree);
    say({ event: "here", tree });
    greetOnce(tree);
  }

  /** When it hears, as routers know by now: before, nothing is said to it. */
  function greetOnce({ owner, uid, clientId, connectedAt, filters }: Tree): void {
    if (owner !== "user" || filters.length === 0 || greeted.get(clientId) === connectedAt) return;
    greeted.set(clientId, connectedAt);
    greet(uid, clientId);
  }

  function changed(clientId: string): void {
    const work = live
      .of(clientId)
      .then((tree) => tree && here(tree))
      .catch((error: unknown) => {
        log.debug({ event: "tree_not_told", reason: String(error) });
        sayMissed();
      })
      .finally(() => inHand.delete(work));
    inHand.add(work);
  }

  const forget = onNatsBack(nats, sayMissed);
  return {
    changed,
    here,
    told(told) {
      if (told.word === "here") return changed(told.clientId);
      const { user, clientId, connection, version } = told;
      const name = { p: ingestPartition(clientId), ...parseTreeUser(user), clientId };
      say({ event: "gone", ...name, version, ...(connection === undefined ? {} : { connection }) });
    },
    async close() {
      forget();
      clearTimeout(saying);
      await Promise.allSettled(inHand);
    },
  };
}

/** In the background, if the device is known: what its session goes on with. */
function keepSession(devices: Pick<Devices, "note">, tree: Tree): void {
  const { clientId, persistent, username, protocol, filters, version } = tree;
  if (!persistent) return;
  const session = { filters, version, ...(username === undefined ? {} : { username }) };
  devices.note(clientId, { session: protocol === undefined ? session : { ...session, protocol } });
}
