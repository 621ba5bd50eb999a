// What happened to a conversation itself, read from the events that only the server makes.
import type { Expiry, MemberMode, MemberModes, Message, Role, RoomState } from "@parley/protocol";

interface Told<Kind extends string> {
  event: Kind;
  by: string;
  /** whom it is about */
  uids: string[];
  /** how many members there are from here on, where that changed */
  members?: number;
}

/** The room from here on, whole. */
interface AsItIs {
  name: string;
  room: RoomState;
}

export type Change =
  /** `invited`: who is asked, and no member yet */
  | (Told<"create"> & AsItIs & { invited?: string[]; modes?: MemberModes })
  | (Told<"invite"> & { invited?: string[]; modes?: MemberModes })
  | (Told<"mode"> & { mode: MemberMode })
  /** client ids by uid that come in or go out; null: all that are lacking */
  | (Told<"devices"> & { devices: Readonly<Record<string, string[] | null>>; way: "in" | "out" })
  | Told<"join" | "admit" | "ask" | "refuse" | "remove" | "ban" | "unban" | "unmute" | "unblock" | "transfer">
  /** `owner`: who follows the last owner */
  | (Told<"leave" | "block"> & { owner?: string })
  | (Told<"role"> & { role: Role })
  /** `until`: unix ms; null: until it is taken back */
  | (Told<"mute"> & { until: number | null })
  | (Told<"update" | "archive" | "unarchive" | "delete" | "link" | "unlink"> & AsItIs)
  /** `rooms`: those that what is said goes on to, or no more; `mode`: what they may, where that was said */
  | (Told<"nest"> & AsItIs & { rooms: string[]; mode?: MemberMode })
  | (Told<"unnest"> & AsItIs & { rooms: string[] })
  /** `seq`: the message that is pinned, or no longer */
  | (Told<"pin" | "unpin"> & { seq: number })
  /** when messages that say nothing themselves disappear from here on; null: they stay */
  | (Told<"expiry"> & { expiry: Expiry | null });

/** A change, and its own place in the conversation. */
export interface ConversationChange {
  conv: string;
  seq: number;
  /** unix ms */
  ts: number;
  change: Change;
}

const kinds: ReadonlySet<string> = new Set<Change["event"]>([
  ...(["create", "invite", "join", "admit", "ask", "refuse", "remove", "ban", "unban", "unmute", "unblock"] as const),
  ...(["transfer", "leave", "block", "role", "mute", "mode", "devices", "update", "archive", "unarchive"] as const),
  ...(["delete", "link", "unlink", "nest", "unnest", "pin", "unpin", "expiry"] as const),
]);

/** undefined for any other message, and for what a newer server tells. */
export function changeOf({ conv, seq, ts, content }: Message): ConversationChange | undefined {
  const { type, data } = content as { type: string; data?: Partial<Change> };
  if (type !== "event" || !kinds.has(data?.event ?? "")) return undefined;
  return { conv, seq, ts, change: data as Change };
}
