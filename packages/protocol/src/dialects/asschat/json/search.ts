// ch_search and ch_users_search: over the channels that the device's user is in, and no others.
import { AppError } from "../../../errors.ts";
import { conversationsList } from "../../../methods/history.ts";
import { roomsMembers } from "../../../methods/members.ts";
import { roomsList } from "../../../methods/rooms.ts";
import type { OneSidedMode } from "../../../rooms.ts";
import type { Parley } from "../../dialect.ts";
import { readAll } from "../../read-all.ts";
import type { Device } from "../device.ts";
import type { Done } from "./answers.ts";
import { type Known, matches } from "./expressions/match.ts";
import { type Clause, readQuery } from "./expressions/query.ts";
import { writeMode } from "./modes.ts";
import type { Request } from "./requests.ts";

const ofChannels = ["ch_id", "ch_name", "persis"];
const channelProperties = [...ofChannels, "users"];
const userProperties = [...ofChannels, "user_id", "user_name", "mode"];

/** Channels that are looked at, those whose users are read, users that are told of one channel, bytes of an answer. */
const bounds = { pages: 4, looked: 50, usersTold: 200, bytes: 48 * 1024 } as const;

const encoder = new TextEncoder();

type Row = Record<string, unknown>;

interface Member {
  uid: string;
  name: string;
  mode?: OneSidedMode;
}

/** Throws the refusal. */
export function searchChannels(device: Device, { query }: Request<"ch_search">): Promise<Done> {
  const clause = readQuery(query, channelProperties);
  return search(device, clause, (channel, { members, areAll, told }) => {
    if (matches(clause, { ...channel, users: members.map(({ uid }) => uid) }) !== true) return [];
    const users = members.slice(0, bounds.usersTold).map((one) => ({ user_id: one.uid, mode: told(one) }));
    const isWhole = areAll && users.length === members.length;
    return [{ ...channel, users, ...(isWhole ? {} : { more_users: true }) }];
  });
}

/** Throws the refusal. */
export function searchUsers(device: Device, { query }: Request<"ch_users_search">): Promise<Done> {
  const clause = readQuery(query, userProperties);
  return search(device, clause, (channel, { members, told }) => {
    const rows = members.map((one) => ({ user_id: one.uid, user_name: one.name, mode: told(one) }));
    const found = rows.filter((row) => matches(clause, { ...channel, ...row }) === true);
    return found.map((row) => ({ ...row, ch_id: channel.ch_id }));
  });
}

type Channel = { ch_id: string; ch_name: string; persis: true };
type RowsOf = (channel: Channel & Known, users: Users) => Row[];

interface Users {
  members: readonly Member[];
  /** these are all that there are */
  areAll: boolean;
  /** its mode, as devices are told it */
  told(member: Member): number;
}

async function search(device: Device, clause: Clause, rowsOf: RowsOf): Promise<Done> {
  const { parley, tree } = device;
  const rows: Row[] = [];
  let [bytes, looked, isWhole] = [0, 0, true];
  let muted: ReadonlySet<string> | undefined;
  const done = (isAll: boolean): Done => {
    return { rcode: 200, rmsg: "ok", query_result: rows, ...(isAll ? {} : { more: true }) };
  };
  for await (const room of ownRooms(parley)) {
    if (room === undefined) return done(false);
    const { id, conv, name } = room;
    const channel: Channel = { ch_id: id, ch_name: name, persis: true };
    if (matches(clause, channel) === false) continue;
    if (looked >= bounds.looked) return done(false);
    looked += 1;
    const found = await parley.call(roomsMembers, { id }).catch(unlessLeft);
    if (found === undefined) continue;
    const { members, next } = found;
    isWhole &&= next === null;
    muted ??= await mutedOf(parley);
    const isPushed = (uid: string) => uid !== tree.uid || !muted?.has(conv);
    const told = ({ uid, mode }: Member) => writeMode(mode, isPushed(uid));
    for (const row of rowsOf(channel, { members, areAll: next === null, told })) {
      bytes += encoder.encode(JSON.stringify(row)).length;
      if (bytes > bounds.bytes) return done(false);
      rows.push(row);
    }
  }
  return done(isWhole);
}

// Its user has left it since the list was read, or it has ended.
function unlessLeft(error: unknown): undefined {
  const { code } = AppError.from(error);
  if (code !== "not_member" && code !== "not_found") throw error;
}

/** Undefined at the end: there are more. */
async function* ownRooms(parley: Parley) {
  let page: { page?: string } = {};
  for (let count = 0; count < bounds.pages; count++) {
    const { rooms, next } = await parley.call(roomsList, { limit: 500, ...page });
    yield* rooms;
    if (next === null) return;
    page = { page: next };
  }
  yield undefined;
}

async function mutedOf(parley: Parley): Promise<ReadonlySet<string>> {
  const conversations = await readAll(
    (page) => parley.call(conversationsList, { limit: 1_000, ...page }),
    (page) => page.conversations,
  );
  return new Set(conversations.filter(({ muted }) => muted).map(({ conv }) => conv));
}
