// What a case has: people on the system under test, and their devices at its broker. All of it is new for each case.
import { callHttp } from "@parley/client";
import { type Method, type ParamsOf, type ResultOf, usersCreate, usersLogin, usersRemove } from "@parley/protocol";
import { connectDevice, type Device, type DeviceOptions, type Endpoint } from "./device.ts";

/** The system under test. */
export interface System {
  /** of the HTTP API */
  api: string;
  /** a server key */
  key: string;
  /** accounts that were made are removed when their case is over */
  removesPeople?: boolean;
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

export interface World extends Endpoint {
  /** of the HTTP API */
  api: string;
  person(): Promise<Person>;
  people<Count extends number>(count: Count): Promise<Person[]>;
  native(person: Person, options?: Connecting): Promise<NativeDevice>;
  /** With whatever it shows. */
  connect(options: Connecting): Promise<Device>;
  /** As the user of a login over HTTP. */
  ask<M extends Method>(person: Person, method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** With the server key. */
  asApplication<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** A name that nothing else of the case has. */
  next(what: string): string;
  close(): Promise<void>;
}

/** `name`: no other case has it. */
export function openWorld({ api, key, removesPeople = false }: System, endpoint: Endpoint, name: string): World {
  const open: Device[] = [];
  const made: Person[] = [];
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
    made.push(one);
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

  return {
    ...endpoint,
    api,
    next,
    person,
    people: (count) => Promise.all(Array.from({ length: count }, person)),
    native,
    connect,
    async ask({ uid }, method, params) {
      const { token } = await callHttp(api, usersLogin, { uid, device: "http" }, { token: key });
      return callHttp(api, method, params, { token });
    },
    asApplication: (method, params) => callHttp(api, method, params, { token: key }),
    async close() {
      await Promise.all(open.map(({ client }) => client.endAsync(true)));
      if (!removesPeople) return;
      await Promise.all(made.map(({ uid }) => callHttp(api, usersRemove, { uid }, { token: key })));
    },
  };
}

function isAnswerTo(id: string, text: string): boolean {
  return text.includes(`"id":${JSON.stringify(id)}`) && /"type":"n?ack"/.test(text);
}
