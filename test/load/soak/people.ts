// Who takes part in a soak: users with passwords, whom each of them talks to, rooms.
import { callHttp } from "@parley/client";
import {
  keysCreate,
  login,
  p2pConv,
  type ResultOf,
  register,
  roomConv,
  roomsCreate,
  usersLogin,
} from "@parley/protocol";
import type { Cluster } from "@parley/testkit";

export type Session = ResultOf<typeof login>;

export interface Friend {
  /** as a sender writes it in `to` */
  to: string;
  conv: string;
}

export interface Person {
  uid: string;
  pairs: readonly Friend[];
  rooms: readonly Friend[];
}

export interface Town {
  people: readonly Person[];
  convs: readonly string[];
  /** A session of the person's device: by password, as at a first start, or by the application's key. */
  logIn(uid: string, by: "password" | "key"): Promise<Session>;
}

const password = "a soak's password";
const device = "phone";
const friendsOfEach = 8;
const roomMembers = 10;
const together = 4;

/** Makes `count` users, pairs of neighbours, and a room for every ten of them. */
export async function makeTown(cluster: Cluster, count: number): Promise<Town> {
  const base = cluster.run().http;
  const { key } = await callHttp(base, keysCreate, { name: "soak" }, { token: cluster.servicesSecret });
  const uids = Array.from({ length: count }, (_, index) => `soak${index}`);
  for (let from = 0; from < count; from += together)
    await Promise.all(
      uids.slice(from, from + together).map((username) => callHttp(base, register, { username, password })),
    );
  const rooms = roomsOf(uids);
  for (const [id, [owner = "", ...members]] of rooms) {
    const { token } = await callHttp(base, usersLogin, { uid: owner, device }, { token: key });
    await callHttp(base, roomsCreate, { id, name: id, members }, { token });
  }
  const people = uids.map((uid, index) => personOf(uid, index, uids, rooms));
  const convs = new Set(people.flatMap(({ pairs, rooms: own }) => [...pairs, ...own].map(({ conv }) => conv)));
  return {
    people,
    convs: [...convs],
    logIn: (uid, by) =>
      by === "key"
        ? callHttp(base, usersLogin, { uid, device }, { token: key })
        : callHttp(base, login, { username: uid, password, device }),
  };
}

function roomsOf(uids: readonly string[]): Map<string, string[]> {
  const rooms = new Map<string, string[]>();
  for (let first = 0; first < uids.length; first += roomMembers)
    rooms.set(`soak-room${first / roomMembers}`, uids.slice(first, first + roomMembers));
  return rooms;
}

function personOf(
  uid: string,
  index: number,
  uids: readonly string[],
  rooms: ReadonlyMap<string, readonly string[]>,
): Person {
  const half = Math.min(friendsOfEach / 2, Math.floor((uids.length - 1) / 2));
  const offsets = Array.from({ length: half }, (_, step) => step + 1).flatMap((step) => [step, -step]);
  const others = offsets.map((offset) => uids[(index + offset + uids.length) % uids.length] ?? uid);
  return {
    uid,
    pairs: [...new Set(others)].map((other) => ({ to: `user/${other}`, conv: p2pConv(uid, other) })),
    rooms: [...rooms]
      .filter(([, members]) => members.includes(uid))
      .map(([id]) => ({ to: `room/${id}`, conv: roomConv(id) })),
  };
}
