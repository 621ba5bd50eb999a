// Channel Cmd that change something. A channel is what it is in the first form, whose commands do the work.
import { AppError } from "../../../errors.ts";
import { parseConv } from "../../../ids.ts";
import { conversationsUpdate } from "../../../methods/own.ts";
import { roomsGet, roomsUpdate } from "../../../methods/rooms.ts";
import { roomOf } from "../channels.ts";
import type { Command } from "../command.ts";
import { workCommand } from "../commands.ts";
import type { Device } from "../device.ts";
import { digest24 } from "../digest.ts";
import { isDigested } from "../names.ts";
import type { Done } from "./answers.ts";
import { readChId } from "./ids.ts";
import { type Mode, readMode } from "./modes.ts";
import type { Request, UserEntry } from "./requests.ts";

/** uid → what is said of its mode; undefined: nothing */
type Users = ReadonlyMap<string, Mode | undefined>;

/** Muted until its user says otherwise. */
const forEver = Number.MAX_SAFE_INTEGER;

/** Also changes a channel that is there. Throws the refusal. */
export async function createChannel(device: Device, request: Request<"ch_create">, dup: boolean): Promise<Done> {
  if (request.persis === false)
    throw new AppError("invalid_packet", "persis is true: what is said in a channel is always kept");
  const users = readUsers(request.users ?? []);
  const chid = request.ch_id === undefined ? madeId(request, device) : chidOf(request.ch_id, device);
  const said = { rmsg: pushWords(users, device), ch_id: request.ch_id ?? chid.slice(1) };
  if (await create(device, chid, { request, users })) {
    await setPush(device, chid, users);
    return { ...said, rcode: 201, rmsg: `channel created${said.rmsg}` };
  }
  if (request.ch_name !== undefined)
    await device.parley.call(roomsUpdate, { id: await roomOf(device, chid, "users"), name: request.ch_name });
  await putUsers(device, chid, { users, dup });
  return { ...said, rcode: 200, rmsg: `channel updated${said.rmsg}` };
}

/** Throws the refusal. */
export async function deleteChannel(device: Device, { ch_id }: Request<"ch_delete">, dup: boolean): Promise<Done> {
  await workCommand(device, commandOf("delete", chidOf(ch_id, device), { dup }));
  return { rcode: 200, rmsg: "channel deleted", ch_id };
}

/** Throws the refusal. */
export async function updateUsers(device: Device, asked: Request<"ch_users_update">, dup: boolean): Promise<Done> {
  const users = readUsers(asked.users);
  await putUsers(device, chidOf(asked.ch_id, device), { users, dup });
  return { rcode: 201, rmsg: `channel user added${pushWords(users, device)}`, ch_id: asked.ch_id };
}

/** Throws the refusal. */
export async function deleteUsers(device: Device, asked: Request<"ch_users_delete">, dup: boolean): Promise<Done> {
  const users = new Map(asked.users.map((uid) => [uid, undefined] as const));
  await workCommand(device, commandOf("remove", chidOf(asked.ch_id, device), { users, dup }));
  return { rcode: 200, rmsg: "channel user deleted", ch_id: asked.ch_id };
}

interface Creation {
  request: Request<"ch_create">;
  users: Users;
}

/** False: it is there, and the device's user is in it. */
async function create(device: Device, chid: string, { request, users }: Creation): Promise<boolean> {
  const { uid } = device.tree;
  const others = new Map([...users].filter(([one]) => one !== uid));
  const isThere = async () => request.ch_id !== undefined && (await isMember(device, chid));
  const unfit = unfitToBeMade(chid, others, users.get(uid));
  if (unfit !== undefined) {
    if (await isThere()) return false;
    throw new AppError("invalid_packet", unfit);
  }
  // Only this request makes an id that it does not name: it came before.
  const dup = request.ch_id === undefined;
  const name = request.ch_name ?? chid.slice(1);
  try {
    await workCommand(device, { ...commandOf("create", chid, { users: others, dup }), name });
    return true;
  } catch (error) {
    if (AppError.from(error).code === "conflict" && (await isThere())) return false;
    throw error;
  }
}

function unfitToBeMade(chid: string, others: Users, own: Mode | undefined): string | undefined {
  const isOfTwo = chid.startsWith("$p-");
  if (isDigested(chid) && !isOfTwo) return "the id of a new channel is 1 to 31 letters, digits, _ and -";
  if (others.size === 0) return "a channel has two users at least: users names the others";
  if (own !== undefined && own.mode !== "read-write") return "who makes a channel reads and writes in it";
  return undefined;
}

async function putUsers(device: Device, chid: string, { users, dup }: { users: Users; dup: boolean }): Promise<void> {
  const { uid } = device.tree;
  const others = new Map([...users].filter(([one]) => one !== uid));
  if (others.size > 0) await workCommand(device, commandOf("add", chid, { users: others, dup }));
  if (!users.has(uid)) return;
  const own = users.get(uid);
  const room = await device.parley.call(roomsGet, { id: await roomOf(device, chid, "users") });
  if (room.role === undefined)
    await workCommand(device, commandOf("add", chid, { users: new Map([[uid, undefined]]), dup }));
  else if (own !== undefined && own.mode !== (room.mode ?? "read-write"))
    await workCommand(device, commandOf("add", chid, { users: new Map([[uid, own]]), dup }));
  await setPush(device, chid, users, "also on");
}

/** For the device's own user: what others mute is theirs. A channel that is new is not muted. */
async function setPush(device: Device, chid: string, users: Users, alsoOn?: "also on"): Promise<void> {
  const own = users.get(device.tree.uid);
  if (own === undefined || (own.isPushed && alsoOn === undefined)) return;
  const conv = await device.channels.find(chid);
  if (conv === undefined) return;
  await device.parley.call(conversationsUpdate, { conv, mutedUntil: own.isPushed ? 0 : forEver });
}

function pushWords(users: Users, { tree }: Device): string {
  const isOther = [...users].some(([uid, mode]) => uid !== tree.uid && mode?.isPushed === false);
  return isOther ? "; push is each user's own to set" : "";
}

function readUsers(entries: readonly UserEntry[]): Users {
  const modes = entries.map(({ user_id, mode }) => {
    const read = mode === undefined ? undefined : readMode(mode);
    if (read instanceof AppError) throw read;
    return [user_id, read] as const;
  });
  return new Map(modes);
}

function commandOf(
  verb: Command["verb"],
  chid: string,
  { users = new Map(), dup }: { users?: Users; dup: boolean },
): Command {
  const modes = new Map([...users].map(([uid, one]) => [uid, one?.mode] as const));
  return {
    verb,
    chid,
    users: modes,
    clients: new Map(),
    channels: new Map(),
    maxWriteSpeed: undefined,
    dup,
    isLarge: false,
  };
}

function chidOf(chId: string, { channels }: Device): string {
  const chid = readChId(chId, channels);
  if (chid instanceof AppError) throw chid;
  return chid;
}

/** Of a channel that its maker does not name: the same for the same request. */
function madeId({ req_id, users = [] }: Request<"ch_create">, { tree }: Device): string {
  if (req_id === undefined) throw new AppError("invalid_packet", "a channel without ch_id needs a req_id");
  const uids = users.map(({ user_id }) => user_id).sort();
  return `$c-${digest24(JSON.stringify([tree.clientId, req_id, uids]))}`;
}

async function isMember({ channels, parley }: Device, chid: string): Promise<boolean> {
  const conv = await channels.find(chid);
  const parsed = conv === undefined ? undefined : parseConv(conv);
  if (parsed?.kind !== "room") return false;
  const room = await parley.call(roomsGet, { id: parsed.roomId }).catch(notSeen);
  return room?.role !== undefined;
}

// What may not be seen is not the user's.
function notSeen(error: unknown): undefined {
  const { code } = AppError.from(error);
  if (code !== "not_found" && code !== "not_member") throw error;
}
