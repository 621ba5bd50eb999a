// A connection as routers' copies see it that go past the broker.
import { type Copy, DirectDevice, owesMuch, windowMax } from "../direct/direct-device.ts";
import type { DirectTarget } from "../direct/hand-out.ts";
import type { Heard, Kind } from "../direct/hearing.ts";
import type { DirectTurns } from "../direct/turns.ts";
import type { Version } from "../packets/packets.ts";
import type { UplinkDevice } from "../uplink/device.ts";

/** What it needs of the connection. */
export interface DirectConnection {
  readonly clientId: string;
  readonly version: Version;
  readonly sessionExpirySeconds: number;
  /** undefined: it is not open, or DISCONNECT has passed */
  openDesk(): UplinkDevice | undefined;
  /** False: what it was sent waits for it to read. */
  isReading(): boolean;
  toDevice(bytes: Buffer): void;
  toBroker(bytes: Buffer): void;
}

/** a PUBLISH's bytes besides its payload, with room to spare */
const headBytes = 512;
/** Mosquitto's `max_inflight_messages`: what it sends a device at most, whatever goes past it */
const brokerWindow = 1_000;

export class DirectSide implements DirectTarget {
  readonly #connection: DirectConnection;
  readonly #turns: DirectTurns | undefined;
  /** the largest payload that goes past the broker; 0: none does */
  #mostBytes = 0;
  /** for the device, and waits for what else there is in this turn */
  #gathered: Buffer[] | undefined;

  constructor(connection: DirectConnection, turns: DirectTurns | undefined) {
    this.#connection = connection;
    this.#turns = turns;
  }

  get clientId(): string {
    return this.#connection.clientId;
  }

  /** What the device said in its CONNECT. */
  allow({ maxPacketBytes, receiveMaximum }: { maxPacketBytes: number; receiveMaximum: number }): void {
    if (receiveMaximum >= brokerWindow + windowMax) this.#mostBytes = Math.max(0, maxPacketBytes - headBytes);
  }

  hears(kind: Kind): Heard {
    return this.#connection.openDesk()?.hearing.of(kind);
  }

  hasRoom(bytes: number): boolean {
    if (bytes > this.#mostBytes || !this.#connection.isReading()) return false;
    return this.#connection.openDesk()?.direct?.hasRoom(bytes) ?? true;
  }

  owesMuch(): boolean {
    const desk = this.#connection.openDesk();
    return desk !== undefined && owesMuch(desk.owed);
  }

  holdBack(): void {
    this.#device()?.holdBack();
  }

  sendDirect(copy: Copy, qos: 0 | 1): void {
    const device = this.#device();
    if (device === undefined) {
      copy.end("late");
      return;
    }
    device.send(copy, qos);
    if (device.size > 0) this.#turns?.waits(device);
  }

  leaveToBroker(topic: string): void {
    if (this.#connection.sessionExpirySeconds > 0) this.#connection.openDesk()?.direct?.leaveToBroker(topic);
  }

  /** Writes what was gathered. */
  flush(): void {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    if (gathered === undefined) return;
    this.#connection.toDevice(gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered));
  }

  #device(): DirectDevice | undefined {
    const desk = this.#connection.openDesk();
    if (desk === undefined) return undefined;
    desk.direct ??= new DirectDevice({
      version: this.#connection.version,
      owed: desk.owed,
      pings: () => desk.pings,
      toBroker: (bytes) => this.#connection.toBroker(bytes),
      toDevice: (bytes) => this.#gather(bytes),
    });
    return desk.direct;
  }

  #gather(bytes: Buffer): void {
    if (!this.#turns?.gathers(this)) this.#connection.toDevice(bytes);
    else if (this.#gathered === undefined) this.#gathered = [bytes];
    else this.#gathered.push(bytes);
  }
}
