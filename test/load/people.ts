// The users of a run: made with a server key, logged in where tokens are needed.
import type { ResultOf, usersLogin } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import { type Login, receiverUid, senderUid } from "./pairs.ts";

export interface People {
  /** Logins of pair `index` at the broker itself: the services' password, no hook is asked. */
  atBroker(index: number): PairLogins;
  /** Logins through the edge: a token for each device. */
  throughEdge(index: number): PairLogins;
}

export interface PairLogins {
  sender: Login & { clientId: string };
  receiver: Login & { clientId: string };
}

const together = 16;
let made = 0;

/** Makes `count` pairs of users over HTTP. */
export async function makePeople(cluster: Cluster, count: number): Promise<People> {
  const { http } = cluster.run();
  const { servicesSecret } = cluster;
  const key = await makeKey(cluster);
  const tokens = new Map<string, string>();
  const uids = Array.from({ length: count }, (_, index) => [senderUid(index), receiverUid(index)]).flat();
  await makeUsers(http, key, uids);
  for (const uid of uids) tokens.set(uid, (await logIn(http, key, uid)).token);
  const logins = (index: number, login: (uid: string) => Login): PairLogins => ({
    sender: { ...login(senderUid(index)), clientId: `${senderUid(index)}:bench` },
    receiver: { ...login(receiverUid(index)), clientId: `${receiverUid(index)}:bench` },
  });
  return {
    atBroker: (index) => logins(index, () => ({ username: "parley", password: servicesSecret })),
    throughEdge: (index) => logins(index, (uid) => ({ username: uid, password: tokens.get(uid) ?? "" })),
  };
}

/** A room of `count` new users; the first one made it. */
export async function makeRoom(cluster: Cluster, count: number): Promise<{ room: string; uids: string[] }> {
  const { http } = cluster.run();
  const key = await makeKey(cluster);
  made += 1;
  const room = `bench${made}`;
  const uids = Array.from({ length: count }, (_, index) => `m${made}-${index}`);
  await makeUsers(http, key, uids);
  const [owner = "", ...members] = uids;
  await post(`${http}/rooms`, (await logIn(http, key, owner)).token, { id: room, name: room, members });
  return { room, uids };
}

/** A server key: it may make users and log them in. */
export async function makeKey(cluster: Cluster): Promise<string> {
  const { key } = await post<{ key: string }>(`${cluster.run().http}/keys`, cluster.servicesSecret, { name: "bench" });
  return key;
}

/** The ones that are there already stay as they are. */
export async function makeUsers(http: string, key: string, uids: readonly string[]): Promise<void> {
  for (let from = 0; from < uids.length; from += together)
    await Promise.all(
      uids.slice(from, from + together).map(async (uid) => {
        const response = await send(`${http}/users`, key, { uid });
        if (!response.ok && response.status !== 409) throw await failure(`${http}/users`, response);
      }),
    );
}

export type Session = ResultOf<typeof usersLogin>;

export function logIn(http: string, key: string, uid: string, device = "bench"): Promise<Session> {
  return post(`${http}/users/${uid}/login`, key, { device });
}

/** Throws on any answer but 2xx. */
export async function post<Answer>(url: string, bearer: string, body: object): Promise<Answer> {
  const response = await send(url, bearer, body);
  if (!response.ok) throw await failure(url, response);
  return (await response.json()) as Answer;
}

function send(url: string, bearer: string, body: object): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function failure(url: string, response: Response): Promise<Error> {
  return new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
