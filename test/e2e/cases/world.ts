// People and what they have, once for each way in: three worlds that differ only in how their names begin.
import { callHttp } from "@parley/client";
import {
  keysCreate,
  type Method,
  messagesSend,
  type ParamsOf,
  p2pConv,
  profileUpdate,
  type ResultOf,
  roomsCreate,
  usersCreate,
  usersLogin,
  usersRemove,
} from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import mqtt, { type MqttClient } from "mqtt";

export type Session = ResultOf<typeof usersLogin>;

/** Who asks: a device of a user, an application, the operator, or somebody without a token. */
export interface Caller {
  token: string | undefined;
  session?: Session;
}

export interface Person extends Caller {
  uid: string;
  session: Session;
  token: string;
}

export interface Place {
  conv: string;
  seq: number;
}

export interface World {
  /** all names in it begin with this; in answers it is taken away */
  prefix: string;
  http: string;
  ann: Person;
  /** she writes with him; each room that is made has both, ann as owner */
  bob: Person;
  /** a stranger to both */
  eve: Person;
  app: Caller;
  operator: Caller;
  nobody: Caller;
  /** ann's and bob's */
  conv: string;
  /** an erased user */
  gone: string;
  /** somebody who is shown to its contacts only, takes messages of them only, and has none */
  hidden: string;
  /** address of a page that links may be made to */
  site: string;
  /** what only others have: eve's room, and her conversation with somebody */
  theirs: { room: string; roomConv: string; p2p: string };
  /** Somebody new. Hashing passwords costs, so only who needs one has one. */
  person(name: string, password?: string): Promise<Person>;
  /** From now on its device is connected. */
  connect(one: Person): Promise<void>;
  /** A room of ann with bob in it. */
  room(about?: Partial<ParamsOf<typeof roomsCreate>>): Promise<{ id: string; conv: string }>;
  /** A text from ann to bob unless said. */
  say(text: string, about?: { from?: Person; to?: string; content?: object; packet?: object }): Promise<Place>;
  /** Sets things up; over HTTP, whichever way in is tried. */
  call<M extends Method>(as: Caller, method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  close(): Promise<unknown>;
}

/** The code of phones and mailboxes whose code is fixed. */
export const sentCode = "123456";

export const password = "a password that nobody guesses";

export async function makeWorld(cluster: Cluster, site: string, prefix: string): Promise<World> {
  const { http } = cluster.run();
  const operator: Caller = { token: cluster.servicesSecret };
  const call: World["call"] = (as, method, params) =>
    callHttp(http, method, params, as.token === undefined ? {} : { token: as.token });
  const { key } = await call(operator, keysCreate, { name: prefix });
  const app: Caller = { token: key };
  let made = 0;

  const person: World["person"] = async (name, secret) => {
    const uid = `${prefix}${name}`;
    await call(app, usersCreate, { uid, ...(secret === undefined ? {} : { password: secret }) });
    const session = await call(app, usersLogin, { uid, device: "desk" });
    return { uid, session, token: session.token };
  };
  const [ann, bob, eve, zoe] = [await person("ann"), await person("bob"), await person("eve"), await person("zoe")];

  const say: World["say"] = async (text, { from = ann, to = `user/${bob.uid}`, content, packet } = {}) => {
    const message = { id: `said${made++}`, to, content: { type: "text", data: text, ...content }, ...packet };
    const { conv, seq } = await call(from, messagesSend, message);
    return { conv, seq };
  };
  const room: World["room"] = async (about) => {
    const id = `${prefix}room${made++}`;
    const { conv } = await call(ann, roomsCreate, { id, name: "Room", members: [bob.uid], ...about });
    return { id, conv };
  };

  const { id, conv } = await call(eve, roomsCreate, { id: `${prefix}eves`, name: "Eve's" });
  await say("between others", { from: eve, to: `user/${zoe.uid}` });
  await say("to oneself", { from: eve, to: `room/${id}` });
  await say("hello");
  const connected: MqttClient[] = [];
  const connect: World["connect"] = async ({ session: { clientId, mqtt: broker } }) => {
    const { host, port, username, password } = broker;
    connected.push(await mqtt.connectAsync(`mqtt://${host}:${port}`, { username, password, clientId }));
  };
  const hidden = await person("hidden");
  await call(hidden, profileUpdate, { visibility: "contacts", directMessages: "contacts" });
  const { uid: gone } = await person("gone");
  await call(app, usersRemove, { uid: gone });
  return {
    prefix,
    http,
    ann,
    bob,
    eve,
    app,
    operator,
    nobody: { token: undefined },
    conv: p2pConv(ann.uid, bob.uid),
    gone,
    hidden: hidden.uid,
    site,
    theirs: { room: id, roomConv: conv, p2p: p2pConv(eve.uid, zoe.uid) },
    person,
    connect,
    room,
    say,
    call,
    close: () => Promise.all(connected.map((client) => client.endAsync(true))),
  };
}
