// Whom a room's message goes to where its members have to be read first, and what becomes of a room whose members cannot be read.
import type { Recipients } from "@parley/protocol";
import type { Logger, Members } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { openLettingGo } from "./let-go.ts";
import { type Place, recipientsOf } from "./recipients.ts";

export interface RoomRecipients {
  /** Never rejects: nobody, where they cannot be read. */
  read(conv: string, at: Place): Promise<Recipients>;
  /**
   * Resolves with the work that waits for them, or when the room is in trouble for so long that no packet waits: then the work
   * goes on by itself. `bytes`: what it holds.
   */
  wait(conv: string, bytes: number, work: Promise<void>): Promise<void>;
}

export interface RoomRecipientsParts {
  members: Members;
  log: Logger;
  /** so long packets wait for a room in trouble */
  giveUpMs?: number;
  /** so long their copies do; then they are left to sync */
  keepMs?: number;
  pauseMs?: number;
}

export const nobody: Recipients = { users: [], devices: [] };
const roomsInTroubleMax = 5_000;
// After its last failed read: by then a room may be well again, and is tried as any other.
const troubleKeptMs = 30_000;

export function openRoomRecipients(parts: RoomRecipientsParts): RoomRecipients {
  const { members, log, giveUpMs = 10_000, keepMs = 60_000, pauseMs = 500 } = parts;
  const unreadSince = new LRUCache<string, number>({ max: roomsInTroubleMax, ttl: troubleKeptMs });
  const inTroubleFor = (conv: string, ms: number) => performance.now() - (unreadSince.get(conv) ?? Infinity) >= ms;
  const lettingGo = openLettingGo((conv) => inTroubleFor(conv, giveUpMs), log);
  const isGivenUp = (conv: string) => inTroubleFor(conv, lettingGo.isFull() ? giveUpMs : keepMs);

  // Never rejects; undefined: they are not to be had now.
  async function tryToRead(conv: string, at: Place, startedAt: number): Promise<Recipients | undefined> {
    try {
      const list = await members.read(conv, at);
      unreadSince.delete(conv);
      return recipientsOf(list, at);
    } catch (error) {
      unreadSince.set(conv, unreadSince.get(conv) ?? startedAt);
      lettingGo.look(conv);
      log.warn({ event: "members_unknown", conv, seq: at.seq, reason: String(error) });
      return undefined;
    }
  }

  return {
    wait: lettingGo.wait,
    // A room is given up once, for all that waits and comes until its members can be read.
    async read(conv, at) {
      const startedAt = performance.now();
      while (!isGivenUp(conv)) {
        const to = await tryToRead(conv, at, startedAt);
        if (to) return to;
        if (!isGivenUp(conv)) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      void tryToRead(conv, at, startedAt);
      return nobody;
    },
  };
}
