// What routers and the connect decision hear of devices with trees: which are there, what they subscribe, how far they have
// their conversations.
import {
  AppError,
  type CursorsRequest,
  type DialectLearned,
  type FiltersChange,
  isAnyClientId,
  isConv,
  parseMark,
  subjects,
  type TreesRequest,
  wasHere,
} from "@parley/protocol";
import { type Answering, answerJson, available, type Logger, type NatsConnection } from "@parley/runtime";
import type { Devices } from "../devices.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Arrivals } from "./arrivals.ts";
import type { KeptCursors } from "./cursors.ts";
import type { LiveTrees } from "./live.ts";
import type { TreeTelling } from "./telling.ts";

/** A connect that takes longer was not made, as whoever was making it died. */
const comesWithinMs = 30_000;

export interface TreeParts {
  nats: NatsConnection;
  live: LiveTrees;
  devices: Devices;
  cursors: KeptCursors;
  telling: TreeTelling;
  arrivals: Pick<Arrivals, "arrived">;
  sessions: Pick<Sessions, "of">;
  log: Logger;
}

export function serveTrees(parts: TreeParts, queue: string): Answering[] {
  const { nats, live, cursors, log } = parts;
  const serve = <Asked>(subject: string, work: (asked: Asked) => Promise<object>) =>
    answerJson<Asked>(nats, subject, queue, (asked) => available(() => work(asked)), log);
  return [
    serve<TreesRequest>(subjects.trees, ({ p, page }) => live.page(p, page)),
    serve<FiltersChange>(subjects.treeFilters, (change) => takeFilters(parts, readFilters(change))),
    serve<DialectLearned>(subjects.treeDialect, (learned) => takeDialect(parts, learned)),
    serve<CursorsRequest>(subjects.treeCursors, async (asked) => {
      if (!("keep" in asked)) return cursors.of(readClientId(asked.clientId), asked.page);
      await cursors.keep(asked.keep.map(readCursors));
      return {};
    }),
  ];
}

/** Answered when it is kept: in the store, too, where the device's session goes on with it. */
async function takeFilters({ live, devices, telling, sessions }: TreeParts, change: FiltersChange): Promise<object> {
  const { clientId } = change;
  const changed = await live.filter(change);
  if (changed === "unknown") {
    // One whose connect is not made yet: it is told again. Of a device without a tree, or a connection before, there is nothing to keep,
    // nor of one whose tree has not come for long: it is found missing by the broker's list.
    const owner = await devices.ownerOf(clientId);
    const session = owner === undefined ? undefined : await sessions.of(owner, clientId);
    const isItsOwn = change.connection !== undefined && session?.connection === change.connection;
    const isToCome = isItsOwn && Date.now() - session.at < comesWithinMs;
    if (session !== undefined && !isToCome) return {};
    throw new AppError("unavailable", "no tree of this device is known yet");
  }
  if (changed === "other") return {};
  const tree = await live.of(clientId);
  // Before it is answered: a device that hears what is said, and nothing of before, hears from its SUBACK on.
  if (tree) telling.here(tree);
  if (tree?.persistent) await devices.flush();
  return {};
}

async function takeDialect(
  { live, devices, telling, arrivals }: TreeParts,
  { clientId, dialect }: DialectLearned,
): Promise<object> {
  if (typeof dialect !== "string" || !/^[a-z-]{1,32}$/.test(dialect))
    throw new AppError("invalid_packet", "the request names no dialect");
  const changed = await live.learn({ clientId: readClientId(clientId), dialect });
  // Also where Redis has lost its tree, which is then made of what is kept of the device.
  if (changed === "changed" || changed === "unknown") {
    devices.note(clientId, { dialect });
    await devices.flush();
  }
  if (changed === "changed") {
    telling.changed(clientId);
    arrivals.arrived(clientId);
  }
  return {};
}

function readFilters(change: FiltersChange): FiltersChange {
  const { clientId, connection, added, removed } = change;
  const areTexts = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === "string");
  if (!areTexts(added) || !areTexts(removed))
    throw new AppError("invalid_packet", "a change of filters names added and removed");
  const named = typeof connection === "string" ? { connection } : {};
  return { clientId: readClientId(clientId), added, removed, ...named };
}

function readCursors({ clientId, cursors }: { clientId: string; cursors: Record<string, number> }) {
  for (const [conv, seq] of Object.entries(cursors ?? {}))
    if (!(isConv(parseMark(conv)?.conv ?? conv) || conv === wasHere) || !Number.isSafeInteger(seq) || seq < 0)
      throw new AppError("invalid_packet", "a cursor is a conversation, or a mark in one, and a seq");
  return { clientId: readClientId(clientId), cursors: cursors ?? {} };
}

function readClientId(clientId: unknown): string {
  if (typeof clientId === "string" && isAnyClientId(clientId)) return clientId;
  throw new AppError("invalid_packet", "the request names no clientId");
}
