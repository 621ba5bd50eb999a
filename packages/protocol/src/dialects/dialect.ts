// What a dialect is: a published protocol, spoken by devices that have a tree of their own. A dialect does no I/O: it is handed
// what a device published and what Parley has for the device, and says what is to be done. The edge, routers, history and
// the rest know no dialect by name: they ask the table in ../dialects.ts.
import type { Static, TObject, TSchema } from "typebox";
import type { AppError } from "../errors.ts";
import type { Method } from "../methods/method.ts";
import type { ReceiptPacket, StatePacket, TypingPacket } from "../packets/uplink.ts";
import type { Tree } from "../trees.ts";

/** A packet that a device published. */
export interface Published {
  /** as the device wrote it */
  topic: string;
  payload: Uint8Array;
  /** it may have come before */
  dup: boolean;
  /** a Last Will: the connection that it is of has ended. Absent where the broker does not tell Wills apart. */
  will?: true;
  properties: PublishedProperties;
}

/** Of MQTT 5; all absent in 3.1.1. */
export interface PublishedProperties {
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** in order, names repeated */
  userProperties?: readonly (readonly [name: string, value: string])[];
}

/** A packet for the device, on a topic as the device knows it; QoS 1. */
export interface Said {
  topic: string;
  payload: Uint8Array | string;
  properties?: PublishedProperties;
}

/** A packet of packets/downlink.ts: a stored message, or a notice by its `type`. */
export type Downlink = Record<string, unknown>;

/** The fields of packets/uplink.ts's MessagePacket and whatever else its sender wants to be stored. */
export type Outgoing = { id?: string; to: string; content: { type: string } & Record<string, unknown> } & Record<
  string,
  unknown
>;

/** Stored: the promise. */
export interface Stored {
  id: string;
  conv: string;
  seq: number;
  ts: number;
}

/** In whose name, and for which packet. */
export interface Asked {
  /** another account of the device's login */
  as?: string;
  /**
   * The packet that a message came in. One without `id` gets one made of it: should the packet come again, the message is found,
   * and stored once.
   */
  packet?: Published;
  /** The room is a topic of guests: it is made where it is not there. */
  opensRoom?: true;
}

/** A guest's name, and what its topics begin with, by levels; empty: any topic is. */
export interface GuestTopics {
  name: string;
  prefix: string;
}

/**
 * What a dialect keeps of its device in conversations: seqs that only grow. They are kept as the device's cursors are, once a
 * second: a mark that is moved before something is said is kept before, or with, what the device has by that. Of a device that
 * does not keep its session nothing is kept.
 */
export interface Marks {
  /** By `markKey`. Rejects with `unavailable`. */
  read(): Promise<ReadonlyMap<string, number>>;
  /** `mark`: 1 to 16 letters */
  move(mark: string, conv: string, seq: number): void;
  /** Resolves when they are kept, or cannot be kept now: then soon. */
  kept(): Promise<void>;
}

/** What a dialect may have done in the name of its device. */
export interface Parley {
  /** Address of the HTTP API as devices reach it, without a slash at its end: where files are. */
  publicUrl: string;
  /** Of the configuration. */
  guests: readonly GuestTopics[];
  /**
   * Stores a message and delivers it. Messages are stored in the order of the calls, so `take` calls it before it awaits anything
   * where it can. Resolves with the refusal; rejects when the router stops: the packet comes again.
   */
  send(message: Outgoing, asked?: Asked): Promise<Stored | AppError>;
  /** Calls a method. Rejects with its AppError, or `unavailable`. */
  call<P extends TObject, R extends TSchema>(
    method: Method<P, R>,
    params: Static<P>,
    asked?: Asked,
  ): Promise<Static<R>>;
  /** Rejects with the refusal. */
  receipt(receipt: ReceiptPacket, asked?: Asked): Promise<void>;
  /** Rejects with the refusal; lost when it cannot be told now. */
  typing(typing: TypingPacket, asked?: Asked): Promise<void>;
  /** Rejects with the refusal. */
  state(state: StatePacket): Promise<void>;
  /** Is a user called so, in any case and by its aliases too? Rejects when it cannot be known. */
  isUserName(name: string): Promise<boolean>;
  /** A new token for the device, whose old one has run out. Rejects with the refusal. */
  renewToken(): Promise<string>;
  /** To the device, behind what was said before. Resolves when the broker has it. */
  say(said: Said): Promise<void>;
  /** Has the device a filter that this topic matches? Native topics are heard by native filters alone, not by `#`. */
  hears(topic: string): boolean;
  /** Was the device told this message, or one behind it? One that it was not comes by itself. */
  wasTold(conv: string, seq: number): boolean;
  marks: Marks;
}

/** A connected device in its dialect. */
export interface Speaker {
  /**
   * The device published a packet. Resolves when nothing is left to do for it: then it is confirmed. Whatever is wrong with it is
   * said to the device in the dialect's words, or passed over in silence where the dialect has none; a rejection makes the
   * packet come again.
   */
  take(packet: Published): Promise<void>;
  /**
   * What the device published reached nobody: it is too large, or on a topic that no broker takes. The device takes it for sent
   * (MQTT 3.1.1 has no word for no) until this says otherwise. `payload`: its beginning.
   */
  refused?(packet: Pick<Published, "topic" | "payload">, error: AppError): Promise<void>;
  /** What to publish so that the device gets this: nothing where the dialect has no word for it. */
  render(packet: Downlink): readonly Said[] | Promise<readonly Said[]>;
  /** The device subscribed filters: where the protocol promises retained state, it is said now. */
  subscribed?(filters: readonly string[]): Promise<void>;
  /** The device said whether anybody looks at it. */
  active?(isActive: boolean): Promise<void>;
  /** The device is here, with the filters that it had: greets it, where the protocol does. */
  begin?(): Promise<void>;
}

/** A packet about a file that a device sends in blocks. */
export interface FilePacket {
  /** as the device calls the file: by it a transfer that broke off goes on */
  id: string;
  token: string;
  name: string;
  /** bytes, of the whole file */
  size: number;
  /** where `data` begins */
  offset: number;
  /** absent: the device begins, and asks where */
  data?: Uint8Array;
  /** for `write` */
  asked: unknown;
}

/** How far the file is there; the path of the attachment that it has become; or why it ends here. */
export type FileAnswer = { offset: number; blockBytes: number } | { offset: number; url: string } | { refused: string };

/** Files over a WebSocket at the HTTP address, of the protocol's own. */
export interface FileSocket {
  path: string;
  /** Undefined: it is nothing that is answered. */
  read(bytes: Uint8Array): FilePacket | undefined;
  write(packet: FilePacket, answer: FileAnswer): Uint8Array;
}

export interface Dialect {
  name: string;
  /**
   * Is this topic (or filter) of the dialect? Of several the first in the table owns it. `guestPrefixes`: what topics of guests
   * begin with.
   */
  owns(topic: string, guestPrefixes: readonly string[]): boolean;
  /** Client ids that say the dialect. */
  ownsClientId?(clientId: string): boolean;
  /** Why no device like this can speak it: it is not let in, or told nothing. Undefined: it can. */
  refuses?(
    device: Pick<Tree, "uid" | "clientId"> & { protocol?: number | undefined },
  ): "protocol" | "client_id" | undefined;
  /** Who may connect beside those who show a good token or a password. */
  welcomes?: {
    /** the guests of the configuration */
    guests?: true;
    /** a client id of the dialect without a password: to make an account, and no more */
    anonymous?: true;
    /** with a token that has run out lately, a device that was the user's before: it gets a new one first */
    expiredTokens?: true;
    /** who logs in at `POST /login` with a Client object (appid, deviceid, clientid, type) */
    clientObjects?: true;
  };
  /** Devices do not subscribe: `#` is subscribed for them when they connect. */
  subscribesAll: boolean;
  /** Who sends a message gets it back. */
  echoes: boolean;
  /** Who changes a room is told of the change too, whatever `echoes` says. */
  tellsOwnEvents?: true;
  /**
   * Devices hear what is said while they subscribe, and nothing of before: nothing is sent to them again. `topicOf`: where they
   * hear a room that is open to guests, members or not; undefined: nowhere. `mayHear`: may this one?
   */
  live?: { topicOf(conv: string): string | undefined; mayHear(topic: string, tree: Tree): boolean };
  /** How many messages of each conversation a device that was never here before is sent. */
  showsAtFirst: number;
  files?: FileSocket;
  open(tree: Tree, parley: Parley): Speaker;
}
