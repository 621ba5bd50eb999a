// The desks of one ingest partition while this router holds it: a desk a device with a tree, opened when it comes, publishes or is sent
// something, closed when it is gone.
import { AppError, decodeObject, isSessionEnd, type Tree, type TreeRefusal, type TreeTopic } from "@parley/protocol";
import { dialectOfGuests, type GuestTopics } from "@parley/protocol/dialects";
import { type BrokerSession, type Logger, parseJson, type ReceivedPacket } from "@parley/runtime";
import type { DeadLetter } from "../ingest/dead-letter.ts";
import { type Desk, type DeskParts, openDesk } from "./desk.ts";
import type { KnownTrees } from "./known-trees.ts";
import type { Offered } from "./telling.ts";
import { untilDone } from "./until-done.ts";

export interface Desks {
  /** `found`: whose it is, by its topic. Rejects when the packet is to come again. */
  take(packet: ReceivedPacket, found: TreeTopic): Promise<void>;
  /** A device said something of itself on its native topic. */
  hearState(clientId: string, payload: Uint8Array): void;
  offer(clientIds: readonly string[], offered: Offered): void;
  here(tree: Tree): void;
  gone(clientId: string): void;
  /** Something for any of them may have been lost on the way here. */
  missed(): void;
  close(): void;
}

export interface DesksParts extends Omit<DeskParts, "publish"> {
  p: string;
  session: Pick<BrokerSession, "publish">;
  known: Pick<KnownTrees, "of" | "all">;
  /** For a packet that its dialect failed at. */
  deadLetter: DeadLetter;
  log: Logger;
}

const sweepMs = 30_000;
/** What history is asked for at once is spread over the devices. */
const missedMsEach = 5;
const missedMsLeast = 500;

export function openDesks(parts: DesksParts): Desks {
  const { p, session, known, deadLetter, log } = parts;
  const desks = new Map<string, Desk>();
  let closed = false;
  const deskParts: DeskParts = {
    ...parts,
    publish: (topic, payload, properties) => session.publish(topic, payload, 1, properties, "wait"),
  };

  function deskOf(tree: Tree): Desk {
    const open = desks.get(tree.clientId);
    if (open) return open;
    const desk = openDesk({ ...tree }, deskParts);
    desks.set(tree.clientId, desk);
    return desk;
  }

  function here(tree: Tree): void {
    if (tree.p !== p) return;
    const open = desks.get(tree.clientId);
    // Another's now: what was said to the one before is not for it.
    if (open && (open.tree.uid !== tree.uid || open.tree.owner !== tree.owner)) close(open);
    deskOf({ ...tree, connectedAt: 0, filters: [] }).update(tree);
  }

  function close(desk: Desk): void {
    desk.close();
    desks.delete(desk.tree.clientId);
  }

  // A device that published and went before presence told of it, or was never known to be here.
  const sweeping = setInterval(() => {
    for (const desk of desks.values()) if (known.of(desk.tree.clientId) === undefined && desk.isIdle()) close(desk);
  }, sweepMs);

  for (const tree of known.all()) here(tree);
  return {
    async take(packet, found) {
      const { topic, will, refused, ...name } = found;
      const desk = deskOf(known.of(name.clientId) ?? stranger(name, parts.guests));
      try {
        const take = (isAgain: boolean) =>
          refused
            ? desk.refused(parseJson(packet.payload) as TreeRefusal)
            : desk.take(isAgain ? { ...packet, dup: true } : packet, topic, will);
        await untilDone(take, () => !closed);
      } catch (error) {
        if (isSessionEnd(error)) throw error;
        if (error instanceof AppError && error.code !== "internal")
          return void log.debug({ event: "refusal_not_said", dialect: desk.tree.dialect, reason: error.message });
        log.error({ event: "dialect_failed", dialect: desk.tree.dialect, err: error });
        await deadLetter(packet, AppError.from(error));
      }
    },
    hearState(clientId, payload) {
      const said = decodeObject(payload);
      if (!(said instanceof AppError) && typeof said.active === "boolean") desks.get(clientId)?.active(said.active);
    },
    offer(clientIds, offered) {
      for (const clientId of clientIds) desks.get(clientId)?.offer(offered);
    },
    here,
    missed() {
      const withinMs = Math.max(missedMsLeast, desks.size * missedMsEach);
      for (const desk of desks.values()) desk.missed(withinMs);
    },
    gone(clientId) {
      const desk = desks.get(clientId);
      if (desk) close(desk);
    },
    close() {
      closed = true;
      clearInterval(sweeping);
      for (const desk of desks.values()) desk.close();
    },
  };
}

/** Whose packet came before presence told of it: what its topic says of it. */
function stranger(name: Pick<Tree, "p" | "owner" | "uid" | "clientId">, guests: readonly GuestTopics[]): Tree {
  const tree: Tree = { ...name, accounts: [], persistent: false, connectedAt: 0, filters: [], version: 0 };
  if (name.owner === "user") return { ...tree, accounts: [name.uid] };
  const guest = name.owner === "guest" ? guests.find((one) => one.name === name.uid) : undefined;
  const dialect = guest && dialectOfGuests();
  return dialect ? { ...tree, dialect: dialect.name, prefix: guest.prefix } : tree;
}
