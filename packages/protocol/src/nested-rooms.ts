// What goes on from a room to those that are nested in it: a copy, which says the way that it came.
import Type, { type Static } from "typebox";
import { RoomId } from "./ids.ts";

/** One place on a copy's way: message `seq` of room `id`. */
export const Via = Type.Object({ id: RoomId, seq: Type.Integer({ minimum: 1 }) });
export type Via = Static<typeof Via>;

/** Who brought a copy. */
export const nestedOrigin = "nested";

/** What of a stored entry makes copies of it: to which rooms it goes on, and what does not stand in its body. */
export interface Onward {
  /** ids */
  rooms: string[];
  /** seconds from its first reading */
  expiresAfterRead?: number;
  /** of a vote that nobody is told */
  options?: number[];
}

/** `history.counterparts`: the copies of messages of one room in others. */
export interface CounterpartsRequest {
  conv: string;
  seqs: number[];
  /** of the others; at most `limits.nestedRooms` */
  convs: string[];
}

/** Of each of `convs`, in order: the places there of each of `seqs`; null: none. */
export interface CounterpartsReply {
  found: (number | null)[][];
}
