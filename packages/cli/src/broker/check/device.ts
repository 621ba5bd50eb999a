// A stock MQTT client at the broker under test: what it hears is kept in order, and each thing that it waits for has a name.
import { setTimeout as sleep } from "node:timers/promises";
import mqtt, {
  type IClientOptions,
  type IClientPublishOptions,
  type IConnackPacket,
  type IPublishPacket,
  type MqttClient,
} from "mqtt";

/** Where devices connect, and how: MQTT 3.1.1 (4) or 5. */
export interface Endpoint {
  url: string;
  version: 4 | 5;
  /** how long an answer may take; 20 s */
  waitMs?: number;
}

export interface Packet {
  topic: string;
  payload: Buffer;
  text: string;
  packet: IPublishPacket;
}

export interface Device {
  client: MqttClient;
  clientId: string;
  /** how many Topic Aliases the broker takes */
  topicAliases: number;
  /** all that came, in order */
  heard: Packet[];
  /** The first that fits, of what came and what comes. */
  hears(what: string, fits: (packet: Packet) => boolean): Promise<Packet>;
  /** The broker's code of each filter; empty: it closed the connection instead. */
  subscribe(...filters: string[]): Promise<number[]>;
  /** How the broker took it: `taken`, its code, or `closed`. */
  publish(topic: string, payload: string | Buffer, options?: IClientPublishOptions): Promise<string>;
  /** Says nothing more and is gone, as a phone without network: its Will speaks. */
  cut(): Promise<void>;
  /** Leaves as it should. */
  leave(): Promise<void>;
  /** Whether the broker ended the connection, and with which code of MQTT 5. */
  closed(): Promise<number | undefined>;
}

const answerMs = 20_000;
const againMs = 300;
const keptSeconds = 600;
/** Server unavailable or busy: a library tries again. */
const passing: readonly unknown[] = [3, 0x88, 0x89];

export interface DeviceOptions extends Partial<IClientOptions> {
  /** its session outlives the connection */
  keeps?: boolean;
  /** how long it tries again while it gets no answer, or is told that the server is busy; as long as an answer may take */
  patienceMs?: number;
}

/** Rejects with the broker's code where it does not let the device in. */
export async function connectDevice(endpoint: Endpoint, options: DeviceOptions): Promise<Device> {
  const { patienceMs = endpoint.waitMs ?? answerMs, ...rest } = options;
  const until = performance.now() + patienceMs;
  for (;;)
    try {
      return await connectOnce(endpoint, rest);
    } catch (error) {
      const { code } = error as { code?: unknown };
      const isFinal = typeof code === "number" && !passing.includes(code);
      if (isFinal || performance.now() > until) throw error;
      await sleep(againMs);
    }
}

const noAnswer = "the connection was closed without an answer";
/** The second is the library's. */
const silences = [noAnswer, "connack timeout"];

/** What becomes of somebody without an account; `silent`: why nobody speaks MQTT there, empty if somebody speaks something else. */
export async function knock(url: string, patienceMs: number): Promise<"let in" | "refused" | { silent: string }> {
  const shown = {
    username: "nobody",
    password: "wrong",
    clientId: "nobody:check",
    connectTimeout: patienceMs,
    patienceMs: 0,
  };
  const device = await connectDevice({ url, version: 4 }, shown).catch(
    (error: Error & { code?: number | string }) => error,
  );
  if (!(device instanceof Error)) {
    await device.leave();
    return "let in";
  }
  // A number is a CONNACK: somebody speaks MQTT there.
  if (typeof device.code === "number") return "refused";
  // Bytes of another protocol are told by how they differ from MQTT, which helps nobody.
  const isSilent = device.code !== undefined || silences.includes(device.message);
  return { silent: isSilent ? device.message || String(device.code) : "" };
}

async function connectOnce(
  { url, version, waitMs = answerMs }: Endpoint,
  options: Omit<DeviceOptions, "patienceMs">,
): Promise<Device> {
  const { keeps = false, ...login } = options;
  const expiry = version === 5 && keeps ? { properties: { sessionExpiryInterval: keptSeconds } } : {};
  const own: IClientOptions = { protocolVersion: version, clean: !keeps, reconnectPeriod: 0, keepalive: 30, ...expiry };
  const client = mqtt.connect({ ...placeOf(url), ...own, connectTimeout: waitMs, ...login });
  client.setMaxListeners(0);
  const heard: Packet[] = [];
  client.on("message", (topic, payload, packet) => heard.push({ topic, payload, text: payload.toString(), packet }));
  const ended = Promise.withResolvers<number | undefined>();
  let code: number | undefined;
  client.on("disconnect", (packet) => {
    code = packet.reasonCode;
  });
  client.on("close", () => ended.resolve(code));
  const { properties } = await new Promise<IConnackPacket>((resolve, reject) => {
    client.once("connect", resolve);
    client.once("error", reject);
    client.once("close", () => reject(new Error(noAnswer)));
  }).finally(() => client.on("error", () => {}));
  const orClosed = <T>(work: (done: (answer: T) => void) => void, closed: T): Promise<T> =>
    new Promise((resolve) => {
      work(resolve);
      ended.promise.then(() => resolve(closed), undefined);
    });
  return {
    client,
    clientId: client.options.clientId ?? "",
    topicAliases: properties?.topicAliasMaximum ?? 0,
    heard,
    hears: (what, fits) => hearing(client, heard, { what, fits, waitMs }),
    subscribe: (...filters) =>
      orClosed((done) => {
        client.subscribe(filters, { qos: 1 }, (_error, _granted, packet) =>
          done((packet as { granted?: number[] } | undefined)?.granted ?? []),
        );
      }, [] as number[]),
    publish: (topic, payload, rest = {}) =>
      orClosed((done) => {
        client.publish(topic, payload, { qos: 1, ...rest }, (error) =>
          done(error ? codeOf((error as { code?: number }).code) : "taken"),
        );
      }, "closed"),
    async cut() {
      client.stream.destroy();
      await ended.promise;
    },
    async leave() {
      await client.endAsync();
    },
    closed: () => ended.promise,
  };
}

/** MQTT.js reads addresses by a function that Node warns of. */
function placeOf(url: string): IClientOptions {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const kind = protocol.slice(0, -1) as NonNullable<IClientOptions["protocol"]>;
  const usual = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }[kind as "mqtt" | "mqtts" | "ws" | "wss"];
  const path = kind === "ws" || kind === "wss" ? { path: `${pathname}${search}` } : {};
  return {
    protocol: kind,
    host: hostname.replaceAll(/^\[|\]$/g, ""),
    port: port === "" ? usual : Number(port),
    ...path,
  };
}

/** The first that fits. Rejects with what came instead. */
function hearing(
  client: MqttClient,
  heard: readonly Packet[],
  { what, fits, waitMs }: { what: string; fits(packet: Packet): boolean; waitMs: number },
): Promise<Packet> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = heard.find(fits);
      if (!found) return;
      stop();
      resolve(found);
    };
    const late = setTimeout(() => {
      stop();
      const last = heard.slice(-5).map(({ topic, text }) => `${topic} ${text.slice(0, 120)}`);
      reject(new Error(`${what} did not come; the last that came: ${last.join(" · ") || "nothing"}`));
    }, waitMs);
    const stop = () => {
      clearTimeout(late);
      client.off("message", look);
    };
    client.on("message", look);
    look();
  });
}

/** As the standard writes codes. */
export function codeOf(code: number | undefined): string {
  return code === undefined ? "refused" : `0x${code.toString(16).padStart(2, "0")}`;
}
