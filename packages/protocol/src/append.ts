// The frames of the hot path between router, api and history: one JSON header, then the bodies as they came.
import type { ErrorCode } from "./errors.ts";
import { openFrame, packFrame } from "./frames.ts";
import type { Via } from "./nested-rooms.ts";
import type { Expiry } from "./packets/expiry.ts";
import type { Mentions } from "./packets/mentions.ts";

/** One message to store. `body` is its stored form (see storableBody). */
export interface AppendItem {
  conv: string;
  from: string;
  device: string;
  id: string;
  /** content.type */
  type: string;
  /** id of the device's previous message to the conversation */
  prev?: string;
  /** whom it mentions, if anybody */
  mentions?: Mentions;
  /** seq of the message whose thread it is in */
  thread?: number;
  /** seq of the message it answers */
  reply?: number;
  /** who brought it when no MQTT packet did: `api`, `key` … */
  origin?: string;
  /** the attachment that its content refers to */
  file?: string;
  /** it is refused unless its sender may have that */
  mustHaveFile?: true;
  /** when it disappears, if its sender says so */
  expires?: Expiry;
  /** the message that it is a copy of: one that disappears is not copied */
  copyOf?: { conv: string; seq: number };
  /** the way that it came from another room, the nearest one last: its sender need not be a member */
  via?: Via[];
  /** unix ms: when it disappears, as the message does that it comes from */
  expiresAt?: number;
  /** only asks whether it would be stored: `seq` 0 is yes */
  trial?: true;
  body: Uint8Array;
}

/** All that waits of one conversation partition, in order. */
export interface AppendGroup {
  q: number;
  items: AppendItem[];
}

/** Stored: now, or before with the same key. */
export interface Appended {
  seq: number;
  ts: number;
  /** seq of the conversation's last membership event at that message */
  memberSeq: number;
  /** unix ms: when it disappears, where that is known already */
  expiresAt?: number;
  /** it was stored before */
  duplicate?: true;
  /** the message as it is kept, where that is not what was sent: of a duplicate, and of a vote that nobody is told */
  stored?: Uint8Array;
  /** where the kept message has no room in the reply: its `pos`, to read it by */
  storedAt?: number;
}

export interface AppendRefusal {
  error: { code: ErrorCode; message: string; details?: Readonly<Record<string, unknown>> };
}

export type AppendOutcome = Appended | AppendRefusal;

/** The outcomes of a group, one an item and in order; or why none of it was tried or known. */
export type GroupOutcome =
  | { q: number; outcomes: AppendOutcome[] }
  | { q: number; failed: "not_mine" | "unavailable" | "internal"; message?: string };

type ItemHeader = Omit<AppendItem, "body"> & { size: number };
type OutcomeHeader = (Omit<Appended, "stored"> & { size?: number }) | AppendRefusal;

export function packAppendRequest(groups: readonly AppendGroup[]): Uint8Array {
  const bodies: Uint8Array[] = [];
  const header = groups.map(({ q, items }) => ({
    q,
    items: items.map(({ body, ...item }): ItemHeader => {
      bodies.push(body);
      return { ...item, size: body.byteLength };
    }),
  }));
  return packFrame(header, bodies);
}

/** Throws when the frame is torn. */
export function unpackAppendRequest(frame: Uint8Array): AppendGroup[] {
  const { header, take } = openFrame(frame);
  return (header as { q: number; items: ItemHeader[] }[]).map(({ q, items }) => ({
    q,
    items: items.map(({ size, ...item }) => ({ ...item, body: take(size) })),
  }));
}

export function packAppendReply(groups: readonly GroupOutcome[]): Uint8Array {
  const bodies: Uint8Array[] = [];
  const header = groups.map((group) => {
    if ("failed" in group) return group;
    const outcomes = group.outcomes.map((outcome): OutcomeHeader => {
      if ("error" in outcome || !outcome.stored) return outcome as OutcomeHeader;
      const { stored, ...rest } = outcome;
      bodies.push(stored);
      return { ...rest, size: stored.byteLength };
    });
    return { q: group.q, outcomes };
  });
  return packFrame(header, bodies);
}

/** Throws when the frame is torn. */
export function unpackAppendReply(frame: Uint8Array): GroupOutcome[] {
  const { header, take } = openFrame(frame);
  return (header as ({ q: number; outcomes: OutcomeHeader[] } | Extract<GroupOutcome, { failed: string }>)[]).map(
    (group) => {
      if ("failed" in group) return group;
      const outcomes = group.outcomes.map((outcome): AppendOutcome => {
        if ("error" in outcome || outcome.size === undefined) return outcome as AppendOutcome;
        const { size, ...rest } = outcome;
        return { ...rest, stored: take(size) };
      });
      return { q: group.q, outcomes };
    },
  );
}
