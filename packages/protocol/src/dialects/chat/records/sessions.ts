// The records of logins and files, and what answers are wrapped in.
import type { Term } from "../bert/term.ts";
import { anything, atom, bytes, int, type Kind, list, phone, text, time } from "./kinds.ts";
import { feature } from "./messages.ts";
import { record } from "./record.ts";

const who = {
  client_id: text,
  dev_key: text,
  user_id: text,
  phone,
  token: text,
  type: atom(),
  sms_code: text,
  attempts: int(),
  services: list(atom()),
};
const how = { push: text, os: atom(), created: time, last_online: int() };
const ofV1 = { ...who, ...how };

/** One login, and what is asked about it. */
export const auth = record("Auth", ofV1, { ...who, settings: list(feature), ...how }, [
  // As its document writes two of the calls.
  Object.keys(ofV1).slice(0, 11),
]);

/** The first packet of a web client. */
export const init = record("init", { token: text });

/** Nothing as `data` is an empty binary here. */
const content: Kind<Term> = { read: anything.read, write: (value) => value ?? new Uint8Array(0) };

export const io = record("io", { code: anything, data: content });

/** A refusal of late programs, of codes that they know. */
export const errors = record("errors", { code: list(text), data: content });

const file = {
  id: text,
  sid: text,
  filename: text,
  meta: text,
  size: int(0),
  offset: int(0),
  block: int(0),
  data: bytes,
  status: text,
};

/** A piece of a file, and the answer to it. */
export const ftp = record("ftp", file);
export const ftpAck = record("ftpack", file);
export const loc = record("Loc", { x: anything, y: anything, z: anything });
