// What a case has beyond Parley's own protocol: rooms, guests, and devices of the other protocols.
import type { Device, Endpoint } from "@parley/cli/broker-check/device";
import {
  type Connecting,
  type System as NativeSystem,
  type World as NativeWorld,
  openWorld as openNativeWorld,
  type Person,
} from "@parley/cli/broker-check/world";
import { callHttp } from "@parley/client";
import { login, roomsCreate, usersLogin } from "@parley/protocol";
import { chat } from "../programs/chat.ts";
import { mqttChat } from "../programs/mqtt-chat.ts";
import type { Heard, Place, Program, Told } from "../programs/program.ts";
import { slimchat } from "../programs/slimchat.ts";

/** The system under test. */
export interface System extends NativeSystem {
  guest: Guest | undefined;
}

/** A login without an account, and what its topics begin with. */
export interface Guest {
  name: string;
  password: string;
  prefix: string;
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

export interface World extends NativeWorld {
  guest: Guest | undefined;
  /** A room of the first one's, with all of them. */
  room(...people: Person[]): Promise<string>;
  speaks(program: Program, person: Person, options?: Connecting & { rooms?: string[] }): Promise<SpokenDevice>;
}

export const programs: Record<"slimchat" | "mqttChat" | "chat", Program> = { slimchat, mqttChat, chat };

/** `name`: no other case has it. */
export function openWorld(system: System, endpoint: Endpoint, name: string): World {
  const { api, key, guest } = system;
  const world = openNativeWorld(system, endpoint, name);
  let said = 0;
  return {
    ...world,
    guest,
    async room(owner, ...members) {
      const id = world.next("r");
      const { token } = await callHttp(api, usersLogin, { uid: owner?.uid ?? "", device: "http" }, { token: key });
      const params = { id, name: id, members: members.map(({ uid }) => uid) };
      await callHttp(api, roomsCreate, params, { token });
      return id;
    },
    async speaks(program, person, options = {}) {
      const { device = "phone", rooms = [], ...rest } = options;
      const { uid, password } = person;
      const session = await callHttp(api, login, { username: uid, password, ...program.login(uid, device) });
      const shown = { username: uid, password: session.token, clientId: session.clientId };
      const connected = await world.connect({ ...shown, ...rest });
      const filters = program.filters(uid, rooms);
      if (filters.length > 0) await connected.subscribe(...filters);
      return spoken(program, person, connected, () => `${uid}-${said++}`);
    },
  };
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
