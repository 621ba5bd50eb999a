// The users and rooms of a run, made over HTTP as an application would make them.
import { callHttp } from "@parley/client";
import { keysCreate, p2pConv, type ResultOf, roomConv, roomsCreate, usersCreate, usersLogin } from "@parley/protocol";
import { type Cluster, eventually } from "@parley/testkit";

export type Session = ResultOf<typeof usersLogin>;

export interface People {
  uids: readonly string[];
  /** room ids → uids; the first is the owner */
  rooms: ReadonlyMap<string, readonly string[]>;
  /** A session for a device; made at the first call. */
  login(uid: string, device: string): Promise<Session>;
}

/** Of all of them. */
export const password = "a password for the run";

/** Users `{name}0 … {name}{count - 1}`, a room of all and one of the first three. */
export async function makePeople(cluster: Cluster, name: string, count: number): Promise<People> {
  const base = cluster.run().http;
  const { key } = await patiently(() => callHttp(base, keysCreate, { name }, { token: cluster.servicesSecret }));
  const sessions = new Map<string, Promise<Session>>();
  const login = (uid: string, device: string) => {
    const known = sessions.get(`${uid}:${device}`);
    const session = known ?? patiently(() => callHttp(base, usersLogin, { uid, device }, { token: key }));
    sessions.set(`${uid}:${device}`, session);
    return session;
  };
  const uids = Array.from({ length: count }, (_, index) => `${name}${index}`);
  for (const uid of uids)
    await patiently(() =>
      callHttp(base, usersCreate, { uid, password }, { token: key, idempotencyKey: `user-${uid}` }),
    );
  const rooms = new Map([
    [`${name}-all`, uids],
    [`${name}-few`, uids.slice(0, 3)],
  ]);
  for (const [id, [owner = "", ...members]] of rooms) {
    const { token } = await login(owner, "http");
    const params = { id, name: id, members };
    await patiently(() => callHttp(base, roomsCreate, params, { token, idempotencyKey: `room-${id}` }));
  }
  return { uids, rooms, login };
}

/** conv → members: the rooms and every pair. */
export function conversationsOf({ uids, rooms }: People): Map<string, readonly string[]> {
  const pairs = uids.flatMap((one, index) => uids.slice(index + 1).map((other) => [one, other]));
  return new Map([
    ...[...rooms].map(([id, members]) => [roomConv(id), members] as const),
    ...pairs.map(([one = "", other = ""]) => [p2pConv(one, other), [one, other]] as const),
  ]);
}

/** A call that is made again while its server is away. */
export function patiently<T>(call: () => Promise<T>): Promise<T> {
  let refusal: unknown;
  const attempt = async () => {
    try {
      return { answer: await call() };
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "unavailable" || code === "rate_limited") return undefined;
      refusal = error;
      return { answer: undefined as T };
    }
  };
  return eventually(attempt, { timeoutMs: 60_000, intervalMs: 200 }).then(({ answer }) => {
    if (refusal !== undefined) throw refusal;
    return answer;
  });
}
