// The users of a run: made with a server key, logged in where tokens are needed.
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

/** Makes `count` pairs of users over HTTP. */
export async function makePeople(http: string, servicesSecret: string, count: number): Promise<People> {
  const { key } = await post<{ key: string }>(`${http}/keys`, servicesSecret, { name: "bench" });
  const tokens = new Map<string, string>();
  const uids = Array.from({ length: count }, (_, index) => [senderUid(index), receiverUid(index)]).flat();
  for (const uid of uids) {
    await post(`${http}/users`, key, { uid });
    const session = await post<{ token: string }>(`${http}/users/${uid}/login`, key, { device: "bench" });
    tokens.set(uid, session.token);
  }
  const logins = (index: number, login: (uid: string) => Login): PairLogins => ({
    sender: { ...login(senderUid(index)), clientId: `${senderUid(index)}:bench` },
    receiver: { ...login(receiverUid(index)), clientId: `${receiverUid(index)}:bench` },
  });
  return {
    atBroker: (index) => logins(index, () => ({ username: "parley", password: servicesSecret })),
    throughEdge: (index) => logins(index, (uid) => ({ username: uid, password: tokens.get(uid) ?? "" })),
  };
}

async function post<Answer>(url: string, bearer: string, body: object): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}
