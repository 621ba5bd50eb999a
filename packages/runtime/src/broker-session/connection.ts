// One network connection of a broker session, from the TCP connect to its end; it never comes back.
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls } from "node:tls";
import type { IConnackPacket, Packet } from "mqtt-packet";
import { AckLine } from "./acks.ts";
import { brokerAddress } from "./address.ts";
import { FrameReader, MalformedPacketError } from "./frames.ts";
import {
  brokerLimits,
  encodeConnect,
  encodeDisconnect,
  encodePingreq,
  encodeSubscribe,
  refusedSubscription,
} from "./handshake.ts";
import { type KeepAlive, startKeepAlive } from "./keep-alive.ts";
import type { BrokerSessionOptions, ReceivedPacket } from "./options.ts";
import type { Outbound } from "./outbound.ts";
import { ReasonCode, reasonName } from "./reason-codes.ts";
import { WriteBuffer } from "./write-buffer.ts";

/** Written in one turn at most, and left unread by the kernel at most before the next publishes are written. */
const TURN_BYTES = 512 * 1024;
/** Above this the socket takes no more QoS 0. */
const SOCKET_FULL_BYTES = 16 * 1024 * 1024;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const LAST_WORDS_TIMEOUT_MS = 2_000;

/**
 * `closed`: without a word, which with MQTT 5 should not be. Mosquitto 2.0.11 does it at a take-over, where
 * DISCONNECT with 0x8E belongs.
 */
export type ConnectionEnd = { reason: string; how: "taken_over" | "closed" | "failed" };

export type Counters = { received: number; acked: number; published: number; dropped: number };

export type ConnectionOwner = {
  options: BrokerSessionOptions;
  outbound: Outbound;
  counters: Counters;
  receiving(): boolean;
  ready(connack: IConnackPacket): void;
  ended(end: ConnectionEnd): void;
};

const doNothing = () => undefined;

function openSocket(url: string): Socket {
  const address = brokerAddress(url);
  if (!url.startsWith("mqtts:")) return connect(address);
  return connectTls(address as TcpNetConnectOpts).setNoDelay(true);
}

export class Connection {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #buffer = new WriteBuffer();
  readonly #acks: AckLine;
  readonly #reader: FrameReader;
  readonly #timeout: NodeJS.Timeout;
  #keepAlive: KeepAlive | undefined;
  #connack: IConnackPacket | undefined;
  #ready = false;
  #ended = false;
  #flushing = false;
  #full = false;
  #excess = false;

  constructor(owner: ConnectionOwner, cleanStart: boolean) {
    const { options } = owner;
    this.#owner = owner;
    this.#acks = new AckLine((id) => this.#puback(id));
    this.#reader = new FrameReader({
      publish: (packet, id) => this.#receive(packet, id),
      puback: (id, reasonCode) => this.#answered(id, reasonCode),
      other: (packet) => this.#control(packet),
    });
    this.#timeout = setTimeout(
      () => this.#end("no answer to CONNECT or SUBSCRIBE in time"),
      options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    );
    this.#socket = openSocket(options.url);
    this.#socket.on("data", (chunk) => this.#read(chunk));
    this.#socket.on("drain", () => this.#drained());
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", () => this.#end("the broker closed the connection", this.#ready ? "closed" : "failed"));
    this.#write(encodeConnect(options, cleanStart));
  }

  /** Received packets without their PUBACK. */
  get held(): number {
    return this.#acks.size;
  }

  /** There is something to send: it is written at the end of this turn, with all that comes until then. */
  flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  /** QoS 0; answers false if it was dropped. */
  publish(topic: string, payload: Uint8Array, properties: Uint8Array): boolean {
    if (!this.#ready || this.#ended || !this.#owner.outbound.fits(topic, payload, properties, 0)) return false;
    if (this.#socket.writableLength + this.#buffer.length > SOCKET_FULL_BYTES) return false;
    this.#buffer.publish({ topic, payload, properties, qos: 0, dup: false, id: 0 });
    this.#owner.counters.published++;
    this.flushSoon();
    return true;
  }

  /** Writes what is left and a DISCONNECT; resolves when the socket is closed. */
  async finish(): Promise<void> {
    if (!this.#connack) this.cut();
    if (this.#ended) return;
    this.#flush();
    this.#stop();
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#lastWords(0);
    await closed;
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#stop();
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#ended) return;
    this.#keepAlive?.heard();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof MalformedPacketError)) throw error;
      this.#fail(ReasonCode.malformedPacket, error.message);
    }
  }

  #receive(packet: ReceivedPacket, id: number): void {
    const { options, counters } = this.#owner;
    if (this.#ended || !this.#owner.receiving()) return;
    if (packet.qos === 0) {
      counters.received++;
      options.onPacket(packet, doNothing);
      return;
    }
    if (packet.dup && this.#acks.holds(id)) return;
    if (this.#acks.size >= options.receiveMaximum) this.#warnOfExcess();
    counters.received++;
    options.onPacket(packet, this.#acks.hold(id));
  }

  /**
   * MQTT would have us disconnect. Mosquitto 2.0.11 keeps to our Receive Maximum only until the first PUBACK and to its
   * own `max_inflight_messages` after it: each reconnect would end the same way and the session stand still for ever.
   */
  #warnOfExcess(): void {
    if (this.#excess) return;
    this.#excess = true;
    const { log, clientId, receiveMaximum } = this.#owner.options;
    log.warn({ event: "broker_exceeds_receive_maximum", clientId, receiveMaximum });
  }

  #puback(id: number): void {
    this.#buffer.puback(id);
    this.#owner.counters.acked++;
    this.flushSoon();
  }

  #answered(id: number, reasonCode: number): void {
    if (this.#ended) return;
    this.#owner.outbound.answered(id, reasonCode);
    if (this.#owner.outbound.worthwhile) this.flushSoon();
  }

  #control(packet: Packet): void {
    if (this.#ended || packet.cmd === "pingresp") return;
    if (packet.cmd === "connack" && !this.#connack) this.#connected(packet);
    else if (packet.cmd === "suback" && this.#connack && !this.#ready) {
      const refused = refusedSubscription(packet, this.#owner.options);
      if (refused) this.#fail(0, refused);
      else this.#becomeReady(this.#connack);
    } else if (packet.cmd === "disconnect") {
      const code = packet.reasonCode ?? 0;
      const how = code === ReasonCode.sessionTakenOver ? "taken_over" : "failed";
      this.#end(`the broker disconnected: ${reasonName(code)}`, how);
    } else this.#fail(ReasonCode.protocolError, `an unexpected ${packet.cmd} packet`);
  }

  #connected(connack: IConnackPacket): void {
    const { options, outbound } = this.#owner;
    const code = connack.reasonCode ?? 0;
    if (code !== 0) {
      this.#end(`the broker refused the connection: ${reasonName(code)}`);
      return;
    }
    this.#connack = connack;
    const seconds = connack.properties?.serverKeepAlive ?? options.keepAliveSeconds;
    this.#keepAlive = startKeepAlive(
      seconds,
      () => this.#write(encodePingreq()),
      () => this.#end("the broker does not answer pings"),
    );
    if (options.subscriptions.length === 0) this.#becomeReady(connack);
    else this.#write(encodeSubscribe(options, outbound.freeId()));
  }

  #becomeReady(connack: IConnackPacket): void {
    clearTimeout(this.#timeout);
    this.#ready = true;
    this.#owner.outbound.start(brokerLimits(connack, this.#owner.options), connack.sessionPresent);
    this.flushSoon();
    this.#owner.ready(connack);
  }

  #write(packet: Buffer): void {
    this.#buffer.raw(packet);
    this.flushSoon();
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#ended) return;
    const { outbound, counters } = this.#owner;
    if (this.#ready && !this.#full) counters.published += outbound.pump(this.#buffer, TURN_BYTES);
    const chunks = this.#buffer.take();
    if (chunks.length > 1) this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    if (chunks.length > 1) this.#socket.uncork();
    const unwritten = this.#socket.writableLength;
    if (unwritten === 0) this.#buffer.recycle();
    this.#full = unwritten > TURN_BYTES;
    if (!this.#full && outbound.sendable) this.flushSoon();
  }

  #drained(): void {
    this.#full = false;
    if (this.#owner.outbound.sendable) this.flushSoon();
  }

  /** Ends the connection and tells the broker why. */
  #fail(reasonCode: number, reason: string): void {
    if (this.#ended) return;
    this.#stop();
    this.#lastWords(reasonCode);
    this.#owner.ended({ reason, how: "failed" });
  }

  #end(reason: string, how: ConnectionEnd["how"] = "failed"): void {
    if (this.#ended) return;
    this.cut();
    this.#owner.ended({ reason, how });
  }

  /** DISCONNECT after what was written; a broker that does not read it is not waited for. */
  #lastWords(reasonCode: number): void {
    const timer = setTimeout(() => this.#socket.destroy(), LAST_WORDS_TIMEOUT_MS);
    this.#socket.once("close", () => clearTimeout(timer));
    this.#socket.end(encodeDisconnect(reasonCode));
  }

  #stop(): void {
    this.#ended = true;
    clearTimeout(this.#timeout);
    this.#keepAlive?.stop();
    this.#acks.drop();
    this.#owner.outbound.stop();
  }
}
