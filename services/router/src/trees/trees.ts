// Devices with trees, as one router serves them: the desks of the partitions that it holds, and what it has for those of others.
import {
  AppError,
  type DialectLearned,
  deliverSubject,
  markKey,
  parseMark,
  type Recipients,
  subjects,
  type Tree,
  type TreeDelivery,
} from "@parley/protocol";
import type { Downlink, GuestTopics, Marks } from "@parley/protocol/dialects";
import { type BrokerSession, type Logger, type NatsConnection, parseJson, requestJson } from "@parley/runtime";
import type { OfferMore, TreeRecipients } from "../deliver/send.ts";
import type { DeadLetter } from "../ingest/dead-letter.ts";
import { createCatchUp } from "./catch-up.ts";
import { type CursorKeeper, openCursorKeeper } from "./cursors.ts";
import type { DeskParts } from "./desk.ts";
import { type Desks, openDesks } from "./desks.ts";
import { followTrees } from "./follow-trees.ts";
import { type KnownTrees, openKnownTrees } from "./known-trees.ts";
import type { Offered } from "./telling.ts";

export interface Trees extends TreeRecipients {
  /** Of a partition that this router got. */
  acquired(p: string, session: BrokerSession, parts: Pick<DeskParts, "portFor">): Pick<Desks, "take" | "hearState">;
  /** It is another's: what devices were sent is kept first, where there is time. */
  released(p: string): Promise<void>;
  close(): Promise<void>;
}

export interface TreesParts {
  nats: NatsConnection;
  guests: readonly GuestTopics[];
  deadLetter: DeadLetter;
  log: Logger;
}

const askMs = 5_000;

export function startTrees({ nats, guests, deadLetter, log }: TreesParts): Trees {
  const held = new Map<string, { desks: Desks; close(): void }>();
  const known = openKnownTrees({
    onHere: (tree) => held.get(tree.p)?.desks.here(tree),
    onGone: ({ p, clientId }) => held.get(p)?.desks.gone(clientId),
  });
  const missed = () => {
    for (const { desks } of held.values()) desks.missed();
  };
  const following = followTrees(nats, { known, missed, log });
  const cursors = openCursorKeeper(nats, log);
  const catchUp = createCatchUp(nats, cursors);

  function learned({ clientId }: Tree, dialect: string): void {
    const told: DialectLearned = { clientId, dialect };
    requestJson(nats, subjects.treeDialect, told, { timeoutMs: askMs }).catch((error: unknown) =>
      log.debug({ event: "dialect_not_told", reason: String(error) }),
    );
  }

  return {
    has: known.has,
    offer(packet, to, channel, { correlationData, read } = {}) {
      if (!known.any()) return;
      const users = treesOf(known, to);
      if (users.size > 0) handOn(nats, held, users, { packet, read, channel: channel === "kept" ? "m" : "e" });
      if (to.devices.length === 0) return;
      const devices = new Set(to.devices.flatMap(({ clientId }) => known.of(clientId) ?? []));
      if (devices.size > 0) handOn(nats, held, devices, { packet, read, channel: "d", correlationData });
    },
    acquired(p, session, { portFor }) {
      // Before a desk begins to read: nothing comes between the two.
      const subscription = nats.subscribe(deliverSubject(p), {
        callback: (error, message) => {
          if (error) return void log.error({ event: "deliveries_not_heard", reason: error.message });
          const { devices, packet, channel, correlationData } = parseJson(message.data) as TreeDelivery;
          desks.offer(devices, { packet, channel, ...asBytes(correlationData) });
        },
      });
      const desks = openDesks({
        p,
        session,
        guests,
        known,
        portFor,
        catchUp,
        learned,
        moved: (tree, conv, seq) => {
          if (isKept(tree)) cursors.moved(tree.clientId, conv, seq);
        },
        marksOf: (tree) => createMarks(cursors, tree),
        deadLetter,
        log,
      });
      const close = () => {
        subscription.unsubscribe();
        desks.close();
      };
      held.set(p, { desks, close });
      return desks;
    },
    async released(p) {
      held.get(p)?.close();
      held.delete(p);
      await cursors.flush();
    },
    async close() {
      await following.close();
      for (const { close } of held.values()) close();
      await cursors.close();
    },
  };
}

function treesOf(known: KnownTrees, { users, open }: Recipients): Set<Tree> {
  const found = new Set<Tree>();
  for (const uid of users) for (const tree of known.ofUser(uid)) found.add(tree);
  if (open !== undefined) for (const tree of known.hearing(open)) found.add(tree);
  return found;
}

/** Are its cursors kept? */
function isKept({ persistent, owner }: Tree): boolean {
  return persistent && owner === "user";
}

/** What a dialect keeps of a device, beside its cursors. */
function createMarks(cursors: CursorKeeper, tree: Tree): Marks {
  return {
    async read() {
      if (!isKept(tree)) return new Map();
      const kept = await cursors.read(tree.clientId).catch((cause: unknown) => {
        throw new AppError("unavailable", "marks cannot be read now", { cause });
      });
      return new Map(Object.entries(kept ?? {}).filter(([key]) => parseMark(key) !== undefined));
    },
    move(mark, conv, seq) {
      if (isKept(tree)) cursors.moved(tree.clientId, markKey(mark, conv), seq);
    },
    kept: () => cursors.flush(),
  };
}

interface HandedOn extends OfferMore, Pick<Offered, "channel"> {
  packet: Uint8Array;
}

function handOn(
  nats: NatsConnection,
  held: ReadonlyMap<string, { desks: Desks }>,
  trees: ReadonlySet<Tree>,
  { packet, read, channel, correlationData }: HandedOn,
): void {
  let parsed: Downlink | undefined;
  for (const [p, devices] of byPartition(trees)) {
    const own = held.get(p);
    if (own) {
      parsed ??= read ? read() : (parseJson(packet) as Downlink);
      own.desks.offer(devices, { packet: parsed, channel, correlationData });
      continue;
    }
    const data = correlationData && { correlationData: Buffer.from(correlationData).toString("base64") };
    const head = JSON.stringify({ devices, channel, ...data });
    nats.publish(deliverSubject(p), Buffer.concat([Buffer.from(`${head.slice(0, -1)},"packet":`), packet, closing]));
  }
}

const closing = Buffer.from("}");

function byPartition(trees: ReadonlySet<Tree>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { p, clientId } of trees) {
    const devices = found.get(p);
    if (devices) devices.push(clientId);
    else found.set(p, [clientId]);
  }
  return found;
}

function asBytes(text: string | undefined): Pick<Offered, "correlationData"> {
  return text === undefined ? {} : { correlationData: Buffer.from(text, "base64") };
}
