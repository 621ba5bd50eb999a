// Channel Cmd, done: creates and deletes channels, adds and removes endpoints. A channel is a room. Done again, each finds its own work.
import { AppError } from "../../errors.ts";
import { p2pConv } from "../../ids.ts";
import {
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsMembers,
  roomsRemove,
  roomsRemoveDevice,
  roomsSetMode,
} from "../../methods/members.ts";
import { roomsCreate, roomsDelete, roomsGet, roomsUpdate } from "../../methods/rooms.ts";
import type { MemberDevices, MemberMode } from "../../rooms.ts";
import { roomOf } from "./channels.ts";
import type { Command } from "./command.ts";
import type { Device } from "./device.ts";
import { channelIdOf, isDigested } from "./names.ts";
import { nestChannels, nestedIn, unnestChannels } from "./nested.ts";

/** Each throws the refusal. */
type Work = (device: Device, command: Command) => Promise<void>;

const atOnce = 1_000;

const create: Work = async (device, { chid, name = chid, users, clients, channels, maxWriteSpeed, dup }) => {
  const { tree, parley } = device;
  const others = [...users.keys()].filter((uid) => uid !== tree.uid);
  if (isDigested(chid)) return createDirect(device, chid, [tree.uid, ...others, ...channels.keys()]);
  const id = chid.slice(1);
  const named = (mode: MemberMode) => others.filter((uid) => users.get(uid) === mode);
  const settings = { leastMembers: 2, ...(maxWriteSpeed === undefined ? {} : { messagesPerSecond: maxWriteSpeed }) };
  const modes = { read: named("read"), write: named("write") };
  try {
    const made = { ...only(clients, others), ...(await nestedIn(device, channels)) };
    await parley.call(roomsCreate, { id, name, members: others, modes, settings, ...made });
  } catch (error) {
    const isOwn = dup && AppError.from(error).code === "conflict" && (await isMadeBy(device, id));
    if (!isOwn) throw error;
  }
};

// Of these those that only clients are named of.
function only(clients: Command["clients"], uids: readonly string[]): { devices?: MemberDevices } {
  const named = uids.flatMap((uid) => (clients.has(uid) ? [[uid, clients.get(uid) ?? []] as const] : []));
  return named.length === 0 ? {} : { devices: Object.fromEntries(named) };
}

async function isMadeBy({ parley, tree }: Device, id: string): Promise<boolean> {
  const room = await parley.call(roomsGet, { id }).catch(() => undefined);
  return room?.createdBy === tree.uid;
}

// Between two users there is a channel by itself: it is named, so that the first message can be sent.
async function createDirect(
  { channels, pending, parley }: Device,
  chid: string,
  uids: readonly string[],
): Promise<void> {
  const [one = "", other = one] = uids;
  const conv = p2pConv(one, other);
  if (uids.length > 2 || channelIdOf(conv) !== chid)
    throw new AppError("conflict", `${chid} names a channel of two, and not of these`);
  channels.idOf(conv);
  await pending.load();
  pending.made(conv);
  await parley.marks.kept();
}

const end: Work = async (device, command) => {
  const id = await roomOf(device, command.chid);
  await device.parley.call(roomsDelete, { id }).catch(unlessDone(command));
};

const remove: Work = async (device, command) => {
  const { tree, parley } = device;
  const id = await roomOf(device, command.chid);
  const uids = [...command.users.keys()].filter((uid) => !command.clients.has(uid));
  const others = uids.filter((uid) => uid !== tree.uid);
  for (let from = 0; from < others.length; from += atOnce)
    await parley.call(roomsRemove, { id, uids: others.slice(from, from + atOnce) }).catch(unlessDone(command));
  // Without the others there is no channel any more.
  let dup = command.dup || others.length > 0;
  for (const [uid, clientIds] of command.clients)
    for (const clientId of clientIds) {
      await parley.call(roomsRemoveDevice, { id, uid, clientId }).catch(unlessDone({ dup }));
      dup = true;
    }
  await unnestChannels(device, id, command.channels).catch(unlessDone({ dup }));
  dup ||= command.channels.size > 0;
  if (uids.includes(tree.uid)) await parley.call(roomsLeave, { id }).catch(unlessDone({ dup }));
};

// It came before, and nothing is left to do.
function unlessDone({ dup }: Pick<Command, "dup">): (error: unknown) => void {
  return (error) => {
    const { code } = AppError.from(error);
    if (!dup || (code !== "not_found" && code !== "not_member")) throw error;
  };
}

const add: Work = async (device, { chid, users, clients, channels, maxWriteSpeed }) => {
  const { tree, parley } = device;
  const id = await roomOf(device, chid);
  const isOwnEntry =
    users.size === 1 && channels.size === 0 && users.has(tree.uid) && users.get(tree.uid) === undefined;
  const own = clients.get(tree.uid);
  if (isOwnEntry) await parley.call(roomsJoin, { id, ...(own && { devices: own }) });
  else for (const mode of modes) await addAs(device, { id, mode, users, clients });
  await nestChannels(device, id, channels);
  if (maxWriteSpeed !== undefined)
    await parley.call(roomsUpdate, { id, settings: { messagesPerSecond: maxWriteSpeed } });
};

const modes: readonly (MemberMode | undefined)[] = [undefined, "read-write", "read", "write"];

async function addAs(
  { parley }: Device,
  { id, mode, users, clients }: Pick<Command, "users" | "clients"> & { id: string; mode: MemberMode | undefined },
): Promise<void> {
  const uids = [...users.keys()].filter((uid) => users.get(uid) === mode);
  for (let from = 0; from < uids.length; from += atOnce) {
    const some = uids.slice(from, from + atOnce);
    const given = mode === undefined ? {} : { mode };
    const {
      uids: added,
      invited = [],
      more = [],
    } = await parley.call(roomsInvite, {
      id,
      uids: some,
      ...given,
      ...only(clients, some),
    });
    if (mode === undefined) continue;
    const fresh = new Set([...added.filter((uid) => !more.includes(uid)), ...invited]);
    for (const uid of some) if (!fresh.has(uid)) await parley.call(roomsSetMode, { id, uid, mode });
  }
}

const works: Readonly<Record<Command["verb"], Work>> = { create, delete: end, add, remove };

export function isVerb(verb: string): verb is Command["verb"] {
  return Object.hasOwn(works, verb);
}

/** Throws the refusal, as far as it can be known before the work begins. */
export async function checkCommand(device: Device, { verb, chid }: Command): Promise<void> {
  if (verb === "create") return;
  const id = await roomOf(device, chid);
  await device.parley.call(roomsMembers, { id, limit: 1 });
}

/** Throws the refusal. */
export function workCommand(device: Device, command: Command): Promise<void> {
  return works[command.verb](device, command);
}
