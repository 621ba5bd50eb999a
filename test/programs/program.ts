// A program of another protocol, as its document has it: how it logs in, says a text, and reads what it hears.
import type { login, ParamsOf } from "@parley/protocol";

/** A text that the program sends. */
export interface Said {
  id: string;
  /** the uid of its user */
  from: string;
  to: Place;
  text: string;
}

/** Whom a program writes to: a user or a room, by its id. */
export type Place = { user: string } | { room: string };

/** A message, as far as the protocol tells of it. */
export interface Heard {
  kind: "message";
  conv: string;
  from: string;
  /** by this and `from` the program knows a message again */
  id: string;
  /** its place, where the protocol has one */
  seq?: number;
  /** undefined: it is no plain text */
  text?: string;
}

/** What a packet was, for the program. */
export type Told =
  | Heard
  /** what it sent is kept */
  | { kind: "ack"; id: string; seq?: number }
  /** `id`: of what was refused, where the protocol names it */
  | { kind: "refusal"; id?: string; words: string };

export interface Program {
  name: string;
  /** A login for the device, beside its user's name and password: of `POST /login`. */
  login(
    uid: string,
    device: string,
  ): Pick<ParamsOf<typeof login>, "dialect" | "clientid" | "deviceid" | "appid" | "type">;
  /** What it subscribes; none: the server does it. */
  filters(uid: string, rooms: readonly string[]): string[];
  /** Where its own message comes back: nowhere, or in rooms, or everywhere. */
  echoes: "never" | "rooms" | "always";
  write(said: Said): { topic: string; payload: string | Buffer };
  read(uid: string, topic: string, payload: Buffer): Told[];
}

/** A JSON object, or undefined. */
export function readJson(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
