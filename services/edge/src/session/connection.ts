// One device's connection: its packets in order to the broker, the broker's back, and the end of both.
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { awaitBroker, type BrokerConnection } from "../broker/broker.ts";
import type { Holder } from "../broker/holding.ts";
import { acceptance, brokerRefusal } from "../connect/connack.ts";
import type { Admission } from "../connect/connect.ts";
import { judgeConnect } from "../connect/judge.ts";
import { Framing, type Skipped } from "../packets/framing.ts";
import { asItCame, dropped, type Outcome } from "../packets/outcome.ts";
import { disconnection, protocolOf, refusal, types, type Version } from "../packets/packets.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import type { FiltersChange, TreeWays } from "../tree/tree-device.ts";
import { openDesk, type UplinkDevice } from "../uplink/device.ts";
import { decideDisconnect } from "../uplink/disconnect.ts";
import { DirectSide } from "./direct-side.ts";
import { letGo } from "./let-go.ts";
import type { Member } from "./member.ts";
import { openPassage, type Passage } from "./passage.ts";
import type { Device, Surroundings } from "./surroundings.ts";
import { openUplinkRates, type UplinkRates } from "./uplink-rates.ts";

/** bytes of our own answers a device may leave unread before the edge stops reading it */
const maxUnreadBytes = 256 * 1024;
/** Room for a token and a Will: nobody knows yet who it is, and there may be many of them. */
const maxConnectBytes = 16 * 1024;
/** how long a device may read nothing while the broker is short of memory */
const shortMemoryUnreadMs = 2000;

export class Connection implements Member, Holder, TreeWays {
  clientId = "";
  username: string | null = null;
  version: Version = 4;
  connectedAt = 0;
  sessionExpirySeconds = 0;
  hasTree = false;
  hasOwnTopics = false;
  mountpoint = "";
  isResumed = false;
  readonly connectionId: string;
  readonly transport: "tcp" | "ws";
  readonly #edge: Surroundings;
  readonly #device: Duplex;
  /** until it is judged */
  #arrival: Pick<Device, "peer" | "place"> | undefined;
  readonly #uplink: Framing;
  readonly #rates: UplinkRates;
  /** answers the packet that is passed over */
  #large: ((skipped: Skipped) => Outcome | Promise<Outcome>) | undefined;
  /** once it is let in */
  #desk: UplinkDevice | undefined;
  #passage: Passage | undefined;
  #broker: Socket | undefined;
  #phase: "new" | "open" | "closed" = "new";
  #claimed = false;
  #admitted = false;
  #keepAliveMs = 0;
  #expiresAt: number | undefined;
  #lastHeardAt = 0;
  #asking = false;
  #brokerFull = false;
  #slow = false;
  #brokerLost = false;
  #paused = false;
  /** ms of performance.now() */
  #unreadSince: number | undefined;
  #owedSince: number | undefined;
  #deviceEnded = false;
  /** DISCONNECT has passed, from either side: nothing more is to be said */
  #parted = false;
  /** what goes past the broker */
  readonly direct: DirectSide;

  constructor(device: Device, edge: Surroundings) {
    const { stream, transport, peer } = device;
    this.connectionId = peer.connectionId;
    this.transport = transport;
    this.#device = stream;
    this.#arrival = device;
    this.#edge = edge;
    this.direct = new DirectSide(this, edge.direct);
    this.#rates = openUplinkRates(edge.uplinkLimits);
    this.#uplink = new Framing(Math.min(edge.maxPacketBytes, maxConnectBytes));
    stream.once("data", (chunk: Buffer) => {
      // Whoever begins with anything else need not be waited for.
      if (chunk[0] !== types.connect << 4) this.close(reasons.protocolError);
    });
    stream.on("data", (chunk: Buffer) => this.#takeUplink(chunk));
    const gone = (): void => this.#deviceGone();
    stream.on("end", gone).on("close", gone);
  }

  /** Called every second with the monotonic clock (ms): no step of the wall clock makes a device look silent. */
  sweep(now: number): void {
    if (this.#phase === "new") return;
    this.#owedSince = this.#desk?.owed.look(now);
    // Who is not read cannot be blamed for silence.
    if (this.#paused) this.#lastHeardAt = now;
    if (this.#keepAliveMs > 0 && now - this.#lastHeardAt > 1.5 * this.#keepAliveMs) this.close(reasons.keepAlive);
    else if (this.#expiresAt !== undefined && Date.now() >= this.#expiresAt) this.close(reasons.expired);
    // Whatever is for it would gather at the broker, in memory that all share.
    else if (this.#unreadSince !== undefined && performance.now() - this.#unreadSince > this.#edge.unreadMs)
      this.close(reasons.notReading);
  }

  /** Closes a connection whose device has not read for two seconds; the broker keeps in memory what is for it. */
  closeUnread(): boolean {
    if (this.#unreadSince === undefined || performance.now() - this.#unreadSince < shortMemoryUnreadMs) return false;
    this.close(reasons.notReading);
    return true;
  }

  owedBytes(): number {
    return this.#desk?.owed.bytes() ?? 0;
  }

  owedForMs(): number | undefined {
    return this.#owedSince === undefined ? undefined : performance.now() - this.#owedSince;
  }

  /** Closes it for what it holds at the broker, which ends with its session. */
  give(): void {
    this.close(reasons.notReading);
    this.#edge.sessions.endAway(this.clientId);
  }

  remove(): void {
    this.sessionExpirySeconds = 0;
    // A device that was logged out says nothing any more: after a DISCONNECT the broker drops its Will [MQTT-3.14.4-3].
    if (this.#broker?.writable) this.#broker.write(Buffer.from([types.disconnect << 4, 0]));
    this.close(reasons.removed);
  }

  /** Ends both sides; an MQTT 5 device is told why. Without DISCONNECT the broker publishes the Will. */
  close(reason?: Reason): void {
    if (this.#phase === "closed") return;
    const tellsWhy = this.#phase === "open" && this.version === 5 && !this.#parted && this.#device.writable;
    // Before it is closed: what it hears says where the broker has them for it.
    this.#desk?.direct?.close(this.sessionExpirySeconds > 0);
    this.#phase = "closed";
    const words = reason !== undefined && tellsWhy ? disconnection(reason) : undefined;
    if (words !== undefined) this.#device.write(words);
    if (this.#claimed) this.#edge.sessions.leave(this);
    if (reason !== undefined)
      this.#edge.log.info({ event: "device_closed", clientId: this.clientId, reason: reason.name });
    this.#edge.onClose(this, reason);
    const streams = this.#broker === undefined ? [this.#device] : [this.#device, this.#broker];
    letGo(streams, () => this.#admitted && this.#edge.release());
  }

  #takeUplink(chunk: Buffer): void {
    if (this.#phase === "closed") return;
    // Parts of a large packet are a sign of life as well.
    this.#lastHeardAt = performance.now();
    this.#uplink.push(chunk);
    // Refusals of one chunk leave in one write.
    this.#device.cork();
    if (this.#passage?.rewrites) this.#broker?.cork();
    try {
      this.#readUplink();
    } catch (error) {
      this.#fail(error);
    }
    this.#device.uncork();
    if (this.#passage?.rewrites) this.#broker?.uncork();
  }

  /** Runs of packets that pass as they came leave in one write; the first question stops the reading until it is answered. */
  #readUplink(): void {
    const frame = this.#uplink;
    let from = frame.end;
    let to = from;
    while (this.#phase !== "closed") {
      const found = frame.next();
      if (found !== "packet" && found !== "skipped") {
        this.toBroker(frame.bytes.subarray(from, to));
        if (found === "malformed") this.close(reasons.malformed);
        else if (found === "too_large") this.#passOver(frame);
        else {
          frame.release();
          return;
        }
        from = to;
        continue;
      }
      const outcome = found === "packet" ? this.#decide(frame) : this.#large!(frame.skipped());
      if (outcome === asItCame) {
        to = frame.end;
        continue;
      }
      this.toBroker(frame.bytes.subarray(from, to));
      from = to = frame.end;
      if (outcome instanceof Promise) {
        void this.#await(outcome, frame.packet());
        return;
      }
      this.#apply(outcome);
    }
  }

  #passOver(frame: Framing): void {
    const first = frame.bytes[frame.end]!;
    if (this.#phase === "new") {
      if (first !== types.connect << 4 || frame.skipped().bytes > this.#edge.maxPacketBytes) {
        this.close(reasons.tooLarge);
        return;
      }
      // A client that is closed without a word says the same again.
      this.#large = ({ head, body }) => refuse(reasons.connectTooLarge, protocolOf(head, body).answerAs);
      frame.skip();
      return;
    }
    const large = this.#passage!.openLarge(first);
    if (large === undefined) {
      this.close(reasons.tooLarge);
      return;
    }
    this.#large = (skipped) => (this.#parted ? dropped : large.answer(skipped));
    frame.skip((piece) => {
      if (this.#parted) return;
      const pauseMs = this.#rates.countPiece(first, piece.length);
      if (pauseMs > 0) this.#readSlower(pauseMs);
      large.take?.(piece);
    });
  }

  #decide(frame: Framing): Outcome | Promise<Outcome> {
    const first = frame.bytes[frame.start]!;
    if (this.#phase === "new")
      return first === types.connect << 4 ? this.#connect(frame) : { close: reasons.protocolError };
    if (this.#parted) return dropped;
    if (first === types.disconnect << 4) return this.#disconnect(frame);
    const counted = this.#rates.count(first, frame.end - frame.start);
    if (counted === "drop") return dropped;
    if (counted > 0) this.#readSlower(counted);
    return this.#passage!.decide(frame);
  }

  /** What the device sends beyond its rate waits in its own socket. */
  #readSlower(forMs: number): void {
    if (this.#slow) return;
    this.#slow = true;
    this.#regulate();
    setTimeout(() => {
      this.#slow = false;
      this.#regulate();
    }, forMs).unref();
  }

  async #await(question: Promise<Outcome>, packet: Buffer): Promise<void> {
    this.#asking = true;
    this.#regulate();
    try {
      const outcome = await question;
      this.#asking = false;
      this.#apply(outcome === asItCame ? { forward: packet } : outcome);
      this.#readUplink();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#asking || this.#phase === "closed") return;
    if (this.#deviceEnded) this.close();
    else this.#regulate();
  }

  #apply({ forward, reply, close }: Outcome): void {
    if (this.#phase === "closed") return;
    if (forward !== undefined) this.toBroker(forward);
    if (reply !== undefined) this.toDevice(reply);
    if (close !== undefined) this.close(close);
  }

  async #connect(frame: Framing): Promise<Outcome> {
    const { rules, sessions, turns } = this.#edge;
    const { peer, place } = this.#arrival!;
    this.#arrival = undefined;
    place.spoke();
    const packet = frame.packet();
    const body = frame.body - frame.start;
    const busy = refuse(reasons.busy, protocolOf(packet, body).answerAs);
    if (!this.#edge.admit()) return busy;
    this.#admitted = true;
    const isWanted = () => this.#phase !== "closed" && !this.#device.destroyed;
    const decision = await judgeConnect(packet, body, peer, { ...this.#edge, isWanted });
    if (decision === undefined) return busy;
    if ("refused" in decision) return refuse(decision.refused, decision.version, decision.maxPacketBytes);
    const { admission } = decision;
    this.clientId = admission.clientId;
    this.username = admission.username;
    this.version = admission.version;
    this.sessionExpirySeconds = admission.sessionExpirySeconds;
    this.hasTree = admission.tree !== undefined;
    this.hasOwnTopics = admission.hasOwnTopics;
    this.mountpoint = admission.tree?.mountpoint ?? "";
    sessions.claim(this);
    // It was let in, and left before: its end is told as any other's.
    if (this.#phase === "closed") {
      sessions.leave(this);
      return dropped;
    }
    this.#claimed = true;
    const link = await awaitBroker(rules.broker, admission.packet, admission.version, { turns, isWanted });
    if (link === undefined) return refuse(reasons.unavailable, admission.version);
    if (this.#edge.direct !== undefined && !this.hasTree && !(await this.#edge.direct.writeDown.now(this))) {
      link.socket.destroy();
      return refuse(reasons.unavailable, admission.version);
    }
    // It may have ended meanwhile.
    if (link.socket.destroyed) return refuse(reasons.unavailable, admission.version);
    return this.#open(link, admission);
  }

  #open(link: BrokerConnection, admission: Admission): Outcome {
    const { connack, socket, framing } = link;
    if (this.#phase === "closed") {
      socket.destroy();
      return dropped;
    }
    this.#broker = socket;
    if ((connack.reasonCode ?? connack.returnCode) !== 0) {
      const reply = brokerRefusal(connack, admission);
      return { ...(reply && { reply }), close: reasons.unavailable };
    }
    this.#phase = "open";
    const isNew = !connack.sessionPresent;
    this.#desk = openDesk({ ...admission, hasTree: this.hasTree }, isNew, () => this.#phase === "open");
    this.direct.allow(admission);
    this.#uplink.allow(this.#edge.maxPacketBytes);
    this.connectedAt = Date.now();
    this.#lastHeardAt = performance.now();
    this.#keepAliveMs = (connack.properties?.serverKeepAlive ?? admission.keepAliveSeconds) * 1000;
    this.#expiresAt = admission.expiresAt;
    this.toDevice(acceptance(connack, admission, this.#edge.maxPacketBytes));
    this.isResumed = connack.sessionPresent;
    this.#edge.sessions.wake(this);
    const { decisions } = this.#edge.rules;
    const parts = { device: this.#desk, ways: this, decisions, maxPacketBytes: this.#edge.maxPacketBytes };
    this.#passage = openPassage(admission.tree, connack, parts);
    this.#readDownlink(framing);
    socket.on("data", (chunk: Buffer) => this.#takeDownlink(framing, chunk));
    const gone = (): void => this.#brokerGone();
    socket.on("end", gone).on("close", gone);
    socket.resume();
    return dropped;
  }

  #disconnect(frame: Framing): Outcome {
    const max = this.#edge.rules.maxSessionExpirySeconds;
    const { outcome, sessionExpirySeconds } = decideDisconnect(
      frame.packet(),
      frame.body - frame.start,
      this.version,
      this.sessionExpirySeconds,
      max,
    );
    if (outcome.close !== undefined) return outcome;
    this.sessionExpirySeconds = sessionExpirySeconds;
    this.#parted = true;
    return outcome;
  }

  #takeDownlink(frame: Framing, chunk: Buffer): void {
    if (this.#phase === "closed") return;
    frame.push(chunk);
    this.#readDownlink(frame);
  }

  #readDownlink(frame: Framing): void {
    const { parted, broken } = this.#passage!.passDownlink(frame);
    frame.release();
    if (parted) this.#parted = true;
    if (broken) this.close(reasons.unavailable);
  }

  toBroker(bytes: Buffer): void {
    if (bytes.length === 0 || this.#broker === undefined || !this.#broker.writable) return;
    if (this.#broker.write(bytes) || this.#brokerFull) return;
    this.#brokerFull = true;
    this.#broker.once("drain", () => {
      this.#brokerFull = false;
      this.#regulate();
    });
    this.#regulate();
  }

  toDevice(bytes: Buffer): void {
    if (!this.#device.writable || this.#device.write(bytes)) return;
    if (this.#unreadSince === undefined) {
      this.#unreadSince = performance.now();
      this.#device.once("drain", () => this.#drained());
    }
    this.#broker?.pause();
    this.#regulate();
  }

  #drained(): void {
    this.#unreadSince = undefined;
    this.#broker?.resume();
    this.#regulate();
  }

  openDesk(): UplinkDevice | undefined {
    return this.#phase === "open" && !this.#parted ? this.#desk : undefined;
  }

  isReading(): boolean {
    return this.#unreadSince === undefined && this.#device.writable;
  }

  /** Resolves true when a hook knows what its device has subscribed. */
  tell(change: FiltersChange): Promise<boolean> {
    return this.#edge.sessions.tellFilters(this, change);
  }

  /** Reads the device only while there is somewhere for its packets, and for our answers, to go. */
  #regulate(): void {
    if (this.#phase === "closed") return;
    const pause = this.#asking || this.#slow || this.#brokerFull || this.#device.writableLength > maxUnreadBytes;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#device.pause();
    else this.#device.resume();
  }

  #deviceGone(): void {
    this.#deviceEnded = true;
    if (!this.#asking) this.close();
  }

  /**
   * Mosquitto closes a connection that is taken over before it has said so. A device that is told of anything else comes
   * back and takes over in turn, so MQTT 5, which can be told, is looked up at the other edges.
   */
  #brokerGone(): void {
    if (this.#phase === "closed" || this.#brokerLost) return;
    this.#brokerLost = true;
    const { sessions } = this.#edge;
    if (sessions.isTakenOver(this)) this.close(reasons.takenOver);
    else if (this.version === 4 || this.#parted) this.close(reasons.shuttingDown);
    else
      sessions.isElsewhere(this).then(
        (elsewhere) => this.close(elsewhere ? reasons.takenOver : reasons.shuttingDown),
        (error: unknown) => this.#fail(error),
      );
  }

  /** A fault of ours costs this device its connection and nobody else anything. */
  #fail(error: unknown): void {
    this.#edge.log.error({ event: "connection_failed", clientId: this.clientId, err: error });
    this.close(reasons.unavailable);
  }
}

function refuse(reason: Reason, version: Version, maxPacketBytes?: number): Outcome {
  const reply = refusal(reason, version, maxPacketBytes);
  return reply === undefined ? { close: reason } : { reply, close: reason };
}
