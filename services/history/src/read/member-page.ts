// One page of a conversation's members: only the stays that are asked for, so that former members cost nothing.
import {
  limits,
  type MemberPage,
  type MemberRow,
  type MembersRequest,
  type RoomState,
  type Stay,
} from "@parley/protocol";
import { standingOf } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";

interface Room {
  conv: string;
  memberSeq: number;
  members: ReadonlyMap<string, Member>;
  refused?: ReadonlyMap<string, unknown>;
  room?: RoomState;
}

/** Pages end at `bytes`, and hold at least one member. */
export function memberPage(room: Room, request: MembersRequest, bytes: number = limits.pageBytes): MemberPage {
  const page = pageOf(room, request, bytes);
  return room.room?.guests ? { ...page, guests: true } : page;
}

function pageOf(room: Room, request: MembersRequest, bytes: number): MemberPage {
  const { conv, memberSeq, refused } = room;
  if (request.known === memberSeq) return { conv, memberSeq, members: [], unchanged: true };
  const changed = changesOf(room, request, bytes);
  if (changed) return changed;
  const uids = uidsInOrder(room.members);
  const rows: MemberRow[] = [];
  let size = 0;
  for (let at = placeBehind(uids, request.after); at < uids.length; at++) {
    const row = rowOf(room.members.get(uids[at]!)!, request);
    if (!row) continue;
    size += sizeOf(row);
    if (rows.length > 0 && size > bytes) return { conv, memberSeq, members: rows, next: rows.at(-1)!.uid };
    rows.push(row);
  }
  return { conv, memberSeq, members: rows, ...(refused ? { refused: [...refused.keys()] } : {}) };
}

// Of a list that the asker has, what is different by now: one who joins a room of 100,000 is one row, not 100,000.
function changesOf({ conv, memberSeq, members }: Room, request: MembersRequest, bytes: number): MemberPage | undefined {
  const { known, changes, seq } = request;
  if (!changes || known === undefined || known > memberSeq) return undefined;
  const rows: MemberRow[] = [];
  let size = 0;
  for (const member of members.values()) {
    if (member.appliedSeq <= known) continue;
    const row = fullRow(member, reachingStays(member, seq));
    size += sizeOf(row);
    if (size > bytes) return undefined;
    rows.push(row);
  }
  return { conv, memberSeq, members: rows, since: known };
}

function rowOf(member: Member, { seq, standing }: MembersRequest): MemberRow | undefined {
  const { uid, role } = member;
  if (standing !== undefined) return standingOf(member) === standing ? { uid, role, stays: [] } : undefined;
  const stays = reachingStays(member, seq);
  return stays.length === 0 && member.mode !== "write" ? undefined : fullRow(member, stays);
}

function reachingStays({ stays }: Member, seq: number | undefined): Stay[] {
  return stays.filter(([, leftSeq]) => leftSeq === null || (seq !== undefined && leftSeq >= seq));
}

function fullRow({ uid, role, mutedUntil, mode, devices, deviceJoins }: Member, stays: Stay[]): MemberRow {
  const joins = deviceJoins && { deviceJoins: deviceJoins.map(([id, seq]): [string, number] => [id, seq]) };
  const only = { ...(devices && { devices: [...devices] }), ...joins };
  return { uid, role, stays, ...(mutedUntil === undefined ? {} : { mutedUntil }), ...(mode && { mode }), ...only };
}

function sizeOf(row: MemberRow): number {
  return JSON.stringify(row).length + 1;
}

const ordered = new WeakMap<ReadonlyMap<string, Member>, readonly string[]>();

// Whoever was a member once stays in the map, so its size tells whether somebody came; the new ones stand at its end.
function uidsInOrder(members: ReadonlyMap<string, Member>): readonly string[] {
  const known = ordered.get(members) ?? [];
  if (known.length === members.size) return known;
  const uids = [...known, ...[...members.keys()].slice(known.length)].sort();
  ordered.set(members, uids);
  return uids;
}

// The place of the first uid behind `after`.
function placeBehind(uids: readonly string[], after: string | undefined): number {
  if (after === undefined) return 0;
  let [low, high] = [0, uids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (uids[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
