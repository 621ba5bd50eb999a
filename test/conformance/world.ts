// What a case has: people on the system under test, and devices of any protocol at its broker. All of it is new for each case.
import { callHttp } from "@parley/client";
import {
  login,
  type Method,
  type ParamsOf,
  type ResultOf,
  roomsCreate,
  usersCreate,
  usersLogin,
} from "@parley/protocol";
import { chat } from "../programs/chat.ts";
import { mqttChat } from "../programs/mqtt-chat.ts";
import type { Heard, Place, Program, Told } from "../programs/program.ts";
import { slimchat } from "../programs/slimchat.ts";
import { connectDevice, type Device, type DeviceOptions, type Endpoint } from "./device.ts";

/** The system under test. */
export interface System {
  /** of the HTTP API */
  api: string;
  /** a server key */
  key: string;
  guest: Guest | undefined;
}

/** A login without an account, and what its topics begin with. */
export interface Guest {
  name: string;
  password: string;
  prefix: string;
}

export interface Person {
  uid: string;
  password: string;
}

export type Connecting = DeviceOptions & { device?: string };

/** A device of Parley's own protocol. */
export interface NativeDevice extends Device {
  topics: ResultOf<typeof usersLogin>["topics"];
  /** A text to an address (`user/bob`, `room/tea`); its ack. */
  say(to: string, text: string, id?: string): Promise<{ conv: string; seq: number }>;
  hearsText(text: string): Promise<void>;
}

/** A device of another protocol. */
export interface SpokenDevice extends Device {
  person: Person;
  /** all texts that it heard, as its program reads them */
  told(): Told[];
  /** Answers the message's id. */
  say(to: Place, text: string, id?: string): string;
  hearsText(text: string): Promise<Heard>;
  /** What the protocol has as an ack; `mqtt-chat` has none. */
  acked(id: string): Promise<{ seq?: number }>;
}

export interface World extends Endpoint {
  /** of the HTTP API */
  api: string;
  guest: Guest | undefined;
  person(): Promise<Person>;
  people<Count extends number>(count: Count): Promise<Person[]>;
  /** A room of the first one's, with all of them. */
  room(...people: Person[]): Promise<string>;
  native(person: Person, options?: Connecting): Promise<NativeDevice>;
  speaks(program: Program, person: Person, options?: Connecting & { rooms?: string[] }): Promise<SpokenDevice>;
  /** With whatever it shows. */
  connect(options: Connecting): Promise<Device>;
  /** As the user of a login over HTTP. */
  ask<M extends Method>(person: Person, method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  close(): Promise<void>;
}

export const programs: Record<"slimchat" | "mqttChat" | "chat", Program> = { slimchat, mqttChat, chat };

/** `name`: no other case has it. */
export function openWorld({ api, key, guest }: System, endpoint: Endpoint, name: string): World {
  const open: Device[] = [];
  let count = 0;
  let said = 0;
  const next = (what: string) => `${name}${what}${count++}`;

  async function connect({ device: _, ...options }: Connecting): Promise<Device> {
    const device = await connectDevice(endpoint, options);
    open.push(device);
    return device;
  }

  async function person(): Promise<Person> {
    const one = { uid: next("u"), password: `a password of ${name}` };
    await callHttp(api, usersCreate, one, { token: key });
    return one;
  }

  async function native({ uid }: Person, { device = "phone", ...options }: Connecting = {}): Promise<NativeDevice> {
    const { topics, mqtt, clientId } = await callHttp(api, usersLogin, { uid, device }, { token: key });
    const { username, password } = mqtt;
    const connected = await connect({ username, password, clientId, ...options });
    await connected.subscribe(...topics.subscribe);
    const isText = (text: string) => (packet: { text: string }) => packet.text.includes(JSON.stringify(text));
    return {
      ...connected,
      topics,
      async say(to, text, id = `${uid}-${said++}`) {
        await connected.publish(topics.publish.msg, JSON.stringify({ id, to, content: { type: "text", data: text } }));
        const { text: ack } = await connected.hears(`the ack of ${id}`, (packet) => isAnswerTo(id, packet.text));
        const answer = JSON.parse(ack) as { type: string; conv: string; seq: number; code?: string };
        if (answer.type === "nack") throw new Error(`${id} was refused: ${answer.code}`);
        return answer;
      },
      hearsText: (text) => connected.hears(`"${text}"`, isText(text)).then(() => undefined),
    };
  }

  async function speaks(program: Program, person: Person, options: Connecting & { rooms?: string[] } = {}) {
    const { device = "phone", rooms = [], ...rest } = options;
    const { uid, password } = person;
    const session = await callHttp(api, login, { username: uid, password, ...program.login(uid, device) });
    const shown = { username: uid, password: session.token, clientId: session.clientId };
    const connected = await connect({ ...shown, ...rest });
    const filters = program.filters(uid, rooms);
    if (filters.length > 0) await connected.subscribe(...filters);
    return spoken(program, person, connected, () => `${uid}-${said++}`);
  }

  return {
    ...endpoint,
    api,
    guest,
    person,
    people: (count) => Promise.all(Array.from({ length: count }, person)),
    async room(owner, ...members) {
      const id = next("r");
      const { token } = await callHttp(api, usersLogin, { uid: owner?.uid ?? "", device: "http" }, { token: key });
      const params = { id, name: id, members: members.map(({ uid }) => uid) };
      await callHttp(api, roomsCreate, params, { token });
      return id;
    },
    native,
    speaks,
    connect,
    async ask({ uid }, method, params) {
      const { token } = await callHttp(api, usersLogin, { uid, device: "http" }, { token: key });
      return callHttp(api, method, params, { token });
    },
    async close() {
      await Promise.all(open.map(({ client }) => client.endAsync(true)));
    },
  };
}

function isAnswerTo(id: string, text: string): boolean {
  return text.includes(`"id":${JSON.stringify(id)}`) && /"type":"n?ack"/.test(text);
}

function spoken(program: Program, person: Person, device: Device, nextId: () => string): SpokenDevice {
  const told = () => device.heard.flatMap(({ topic, payload }) => program.read(person.uid, topic, payload));
  const refused = (id: string) =>
    told().find((one) => one.kind === "refusal" && (one.id ?? id) === id) as { words: string } | undefined;
  return {
    ...device,
    person,
    told,
    say(to, text, id = nextId()) {
      const { topic, payload } = program.write({ id, from: person.uid, to, text });
      device.client.publish(topic, payload, { qos: 1 }, () => {});
      return id;
    },
    async hearsText(text) {
      const isIt = (one: Told): one is Heard => one.kind === "message" && one.text === text;
      await device.hears(`"${text}"`, () => told().some(isIt));
      return told().find(isIt) as Heard;
    },
    async acked(id) {
      const isAck = (one: Told) => one.kind === "ack" && one.id === id;
      await device.hears(`the ack of ${id}`, () => told().some(isAck) || refused(id) !== undefined);
      const ack = told().find(isAck);
      if (!ack) throw new Error(`${id} was refused: ${refused(id)?.words}`);
      return ack as { seq?: number };
    },
  };
}
