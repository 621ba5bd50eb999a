// ch_search and ch_users_search: over the channels that the device's user is in, and no others.
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

const channelProperties = ["ch_id", "ch_name", "persis", "users"];
const userProperties = [...channelProperties, "user_id", "user_name", "mode"];

/** Channels that are looked at, those whose users are read, users that are told of one channel, bytes of an answer. */
const bounds = { pages: 4, looked: 50, usersTold: 200, bytes: 48 * 1024 } as const;

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
    const users = members.map(({ uid }) => uid);
    const rows = members.map((one) => ({ user_id: one.uid, user_name: one.name, mode: told(one) }));
    const found = rows.filter((row) => matches(clause, { ...channel, users, ...row }) === true);
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
  let [bytes, looked] = [0, 0];
  let muted: ReadonlySet<string> | undefined;
  const done = (isWhole: boolean): Done => {
    return { rcode: 200, rmsg: "ok", query_result: rows, ...(isWhole ? {} : { more: true }) };
  };
  for await (const room of ownRooms(parley)) {
    if (room === undefined) return done(false);
    const { id, conv, name } = room;
    const channel: Channel = { ch_id: id, ch_name: name, persis: true };
    if (matches(clause, channel) === false) continue;
    if (looked >= bounds.looked) return done(false);
    looked += 1;
    const { members, next } = await parley.call(roomsMembers, { id });
    muted ??= await mutedOf(parley);
    const isPushed = (uid: string) => uid !== tree.uid || !muted?.has(conv);
    const told = ({ uid, mode }: Member) => writeMode(mode, isPushed(uid));
    for (const row of rowsOf(channel, { members, areAll: next === null, told })) {
      bytes += JSON.stringify(row).length;
      if (bytes > bounds.bytes) return done(false);
      rows.push(row);
    }
  }
  return done(true);
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
