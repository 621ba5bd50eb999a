// A device that confirms late, never or wrongly, leaves in any way, and knows what it must have been sent by the end.
import { connect, type Socket } from "node:net";
import { deviceTopic, messagesTopic, uidOfClientId } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import mqttPacket, { type IConnectPacket, type Packet } from "mqtt-packet";
import type { Random } from "../seeded.ts";

/** What is for all of the user's devices, and what is for this one. */
export type Kind = "m" | "d";
export type Confirms = "at once" | "slowly" | "late" | "never" | "wrongly";

export interface DeviceTraits {
  version: 4 | 5;
  /** Its session outlives its connections. */
  persists: boolean;
  qos: 0 | 1 | 2;
  /** It is never cut, reads all and confirms at once: it may be sent nothing twice. */
  isCalm?: boolean;
  properties?: NonNullable<IConnectPacket["properties"]>;
  subscriptionIdentifier?: number;
}

const kinds: readonly Kind[] = ["m", "d"];

export class PlayedDevice {
  readonly clientId: string;
  readonly uid: string;
  readonly traits: DeviceTraits;
  confirms: Confirms = "at once";
  /** in the order in which each was there first */
  readonly received: Record<Kind, number[]> = { m: [], d: [] };
  readonly twice: Record<Kind, number[]> = { m: [], d: [] };
  readonly #had: Record<Kind, Set<number>> = { m: new Set(), d: new Set() };
  readonly #owed: Record<Kind, Set<number>> = { m: new Set(), d: new Set() };
  readonly #random: Random;
  #hears: Record<Kind, boolean> = { m: false, d: false };
  #socket: Socket | undefined;
  #isOpen = false;
  /** MQTT 3.1.1 has no clean session that outlives its connection. */
  #persists = false;
  #packetId = 0;
  /** by packet id */
  readonly #asked = new Map<number, () => void>();

  constructor(clientId: string, traits: DeviceTraits, random: Random) {
    this.clientId = clientId;
    this.uid = uidOfClientId(clientId) ?? clientId;
    this.traits = traits;
    this.#random = random;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What it has to get and has not. */
  missing(): string[] {
    return kinds.flatMap((kind) => [...this.#owed[kind]].map((number) => `${this.clientId} lacks ${kind} ${number}`));
  }

  /** A message is sent to it, at this moment. */
  expects(kind: Kind, number: number): void {
    if (this.#hears[kind] && this.traits.qos > 0 && !this.#had[kind].has(number)) this.#owed[kind].add(number);
  }

  /** With another connection under way it takes over. Resolves when it is let in, or refused, or the edge is away. */
  async open(port: number, { clean = false } = {}): Promise<void> {
    const before = this.#socket;
    if (before !== undefined) this.#forgetUnless(this.#persists && !clean);
    this.#persists = this.traits.persists && !(clean && this.traits.version === 4);
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#isOpen = false;
    this.#asked.clear();
    const parser = mqttPacket.parser({ protocolVersion: this.traits.version });
    let answered = false;
    parser.on("packet", (packet) => {
      if (packet.cmd === "connack") answered = true;
      if (this.#socket === socket) this.#take(packet);
      else if (packet.cmd === "publish") this.#note(packet.payload as Buffer);
    });
    socket.on("data", (bytes: Buffer) => parser.parse(bytes));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      answered = true;
      if (this.#socket === socket) this.#gone();
    });
    const { version, persists, properties } = this.traits;
    const isClean = clean || !persists;
    if (isClean) this.#forget();
    const expiry = { sessionExpiryInterval: persists ? 3600 : 0 };
    this.#write(socket, {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version,
      clientId: this.clientId,
      clean: version === 4 ? !persists || clean : isClean,
      keepalive: 0,
      username: this.uid,
      password: Buffer.from("secret"),
      ...(version === 5 && { properties: { ...expiry, ...properties } }),
    });
    await eventually(() => answered || this.#socket !== socket, { intervalMs: 2 });
    // One that is taken over neither reads nor says anything any more.
    before?.pause();
    setTimeout(() => before?.destroy(), 200).unref();
  }

  subscribe(kind: Kind): void {
    if (!this.#isOpen) return;
    const { version, subscriptionIdentifier, qos } = this.traits;
    const messageId = this.#nextId();
    this.#asked.set(messageId, () => {
      this.#hears[kind] = true;
    });
    const subscriptions = [{ topic: this.#topicOf(kind), qos }];
    const properties = version === 5 && subscriptionIdentifier !== undefined ? { subscriptionIdentifier } : undefined;
    this.#say({ cmd: "subscribe", messageId, subscriptions, ...(properties && { properties }) } as Packet);
  }

  /** From now on it need not get what it has not. */
  unsubscribe(kind: Kind): void {
    if (!this.#isOpen) return;
    this.#hears[kind] = false;
    this.#owed[kind].clear();
    this.#asked.clear();
    this.#say({ cmd: "unsubscribe", messageId: this.#nextId(), unsubscriptions: [this.#topicOf(kind)] });
  }

  ping(): void {
    if (this.#isOpen) this.#say({ cmd: "pingreq" });
  }

  /** It reads nothing more on this connection. */
  stall(): void {
    this.#socket?.pause();
  }

  cut(): void {
    this.#socket?.destroy();
  }

  /** `ends`: and its session with it. */
  leave(ends: boolean): void {
    if (!this.#isOpen) return;
    const endsNow = ends && this.traits.version === 5;
    if (endsNow) this.#forget();
    const properties = endsNow ? { properties: { sessionExpiryInterval: 0 } } : {};
    this.#say({ cmd: "disconnect", ...properties } as Packet);
    this.#socket?.end();
    this.#isOpen = false;
  }

  #gone(): void {
    this.#isOpen = false;
    this.#socket = undefined;
    this.#asked.clear();
    this.#forgetUnless(this.#persists);
  }

  #forgetUnless(persists: boolean): void {
    if (!persists) this.#forget();
  }

  #forget(): void {
    this.#hears = { m: false, d: false };
    for (const kind of kinds) this.#owed[kind].clear();
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case "connack":
        this.#isOpen = (packet.reasonCode ?? packet.returnCode) === 0;
        // The broker was killed, or nothing had been said before.
        if (this.#isOpen && !packet.sessionPresent) this.#forget();
        return;
      case "suback":
        this.#asked.get(packet.messageId as number)?.();
        this.#asked.delete(packet.messageId as number);
        return;
      case "publish":
        this.#note(packet.payload as Buffer);
        if (packet.qos === 1) this.#confirm(packet.messageId as number);
    }
  }

  #note(payload: Buffer): void {
    const [kind, text] = payload.toString().split(" ") as [Kind, string];
    const number = Number(text);
    this.#owed[kind].delete(number);
    if (this.#had[kind].has(number)) {
      this.twice[kind].push(number);
      return;
    }
    this.#had[kind].add(number);
    this.received[kind].push(number);
  }

  #confirm(messageId: number): void {
    const socket = this.#socket;
    const say = () => {
      if (this.#socket === socket && socket?.writable) this.#say({ cmd: "puback", messageId });
    };
    if (this.confirms === "at once") say();
    else if (this.confirms === "slowly") setTimeout(say, this.#random.below(400)).unref();
    else if (this.confirms === "late") setTimeout(say, 2_800 + this.#random.below(1_000)).unref();
    else if (this.confirms === "wrongly") this.#say({ cmd: "puback", messageId: 1 + this.#random.below(65_535) });
  }

  #topicOf(kind: Kind): string {
    return kind === "m" ? messagesTopic(this.uid) : deviceTopic(this.uid, this.clientId);
  }

  #nextId(): number {
    this.#packetId = (this.#packetId % 65_535) + 1;
    return this.#packetId;
  }

  #say(packet: Packet): void {
    if (this.#socket !== undefined) this.#write(this.#socket, packet);
  }

  #write(socket: Socket, packet: Packet): void {
    if (socket.writable) socket.write(mqttPacket.generate(packet, { protocolVersion: this.traits.version }));
  }
}
