// A packet of chat ⇄ one record: Erlang's terms (first byte 131), or JSON in which a record is an object with its tag in `tup`.
import { decodeTerm } from "../bert/decode.ts";
import { encodeTerm } from "../bert/encode.ts";
import { Atom, BertError, BitString, Float, ImproperList, type Term, TermMap, Tuple } from "../bert/term.ts";
import type { RecordSet } from "./kinds.ts";
import { ack, cursor, desc, feature, history, message, star, tag, typing } from "./messages.ts";
import { contact, friend, person, presence, profile, roster, search, service } from "./people.ts";
import type { RecordOf } from "./record.ts";
import { member, room, roomLink } from "./rooms.ts";
import { auth, errors, ftp, init, io, loc } from "./sessions.ts";

/** What a device may send. */
const requests = [
  auth,
  cursor,
  friend,
  ftp,
  history,
  init,
  loc,
  member,
  message,
  person,
  presence,
  profile,
  room,
  roomLink,
  roster,
  search,
  star,
  tag,
  typing,
] as const;
export type ChatRequest = RecordOf<(typeof requests)[number]>;

type AnyKind = (typeof kinds)[number];
const kinds = [...requests, ack, contact, desc, errors, feature, io, service] as const;
const byTag: ReadonlyMap<string, AnyKind> = new Map(kinds.map((kind) => [kind.tag, kind]));
const asked: ReadonlySet<string> = new Set(requests.map((kind) => kind.tag));

export type Form = "bert" | "json";

export interface ReadPayload {
  form: Form;
  /** that of the device, where the record tells it */
  set: RecordSet | undefined;
  record: ChatRequest;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Throws a BertError that says what is wrong. `set`: the device's, as far as it is known. */
export function readPayload(payload: Uint8Array, set: RecordSet): ReadPayload {
  const form = payload[0] === 0x7b ? "json" : "bert";
  const term = form === "json" ? termOfJson(parseJson(payload)) : decodeTerm(payload);
  const [head, ...fields] = term instanceof Tuple ? term.elements : [];
  const name = head instanceof Atom ? head.name : "";
  const kind = asked.has(name) ? byTag.get(name) : undefined;
  if (!kind) throw new BertError(name === "" ? "a record is needed" : `no request begins with ${name.slice(0, 32)}`);
  const told = setOf(kind, fields.length);
  return { form, set: told, record: kind.read(term, told ?? set) as ChatRequest };
}

/** The bytes of a packet for a device. */
export function writePayload(term: Term, form: Form): Uint8Array {
  return form === "bert" ? encodeTerm(term) : new TextEncoder().encode(JSON.stringify(jsonOfTerm(term)));
}

function setOf({ names }: AnyKind, fields: number): RecordSet | undefined {
  if (names.v1.length === names.late.length) return undefined;
  return fields === names.late.length ? "late" : "v1";
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(payload));
  } catch {
    throw new BertError("no JSON");
  }
}

/** Depth and size of the JSON are bounded by the packet's. Names are binaries: a field that wants an atom takes one. */
function termOfJson(json: unknown, depth = 0): Term {
  if (depth > 32) throw new BertError("nested deeper than 32");
  if (json === null || json === undefined) return [];
  if (typeof json === "string") return new TextEncoder().encode(json);
  if (typeof json === "boolean") return new Atom(String(json));
  if (typeof json === "number") return Number.isSafeInteger(json) ? json : new Float(json);
  if (Array.isArray(json)) return json.map((one) => termOfJson(one, depth + 1));
  const { tup, ...fields } = json as Record<string, unknown>;
  if (typeof tup !== "string") throw new BertError("an object has its record's name in tup");
  const element = (name: string) => termOfJson(fields[name], depth + 1);
  const names = tup === "$" ? undefined : fieldNames(tup, Object.keys(fields));
  if (names) return new Tuple([new Atom(tup), ...names.map(element)]);
  const elements = Object.keys(fields).map((_, i) => element(String(i)));
  return new Tuple(tup === "$" ? elements : [new Atom(tup), ...elements]);
}

// Of the set that has all the fields which are there.
function fieldNames(tup: string, given: string[]): readonly string[] | undefined {
  const small = smallTuples.get(tup);
  if (small) return small;
  const kind = byTag.get(tup);
  return kind && (given.every((name) => kind.names.v1.includes(name)) ? kind.names.v1 : kind.names.late);
}

/** Tuples that are no request and no part of a list, but have names for their elements all the same. */
const smallTuples: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    p2p: ["from", "to"],
    muc: ["name"],
    act: ["name", "data"],
    ok: ["code"],
    error: ["code"],
    ok2: ["code", "src"],
    error2: ["code", "src"],
  }),
);

const loose = new TextDecoder();

function jsonOfTerm(term: Term): unknown {
  if (term instanceof Atom) return term.name;
  if (term instanceof Uint8Array) return loose.decode(term);
  if (term instanceof Float) return term.value;
  if (typeof term === "bigint") return String(term);
  if (term instanceof Tuple) return jsonOfTuple(term.elements);
  if (term instanceof TermMap) return term.entries.map((entry) => entry.map(jsonOfTerm));
  if (term instanceof ImproperList) return [...term.elements, term.tail].map(jsonOfTerm);
  if (term instanceof BitString) return loose.decode(term.bytes);
  return typeof term === "number" ? term : term.map(jsonOfTerm);
}

function jsonOfTuple(elements: readonly Term[]): unknown {
  const [head, ...fields] = elements;
  const tup = head instanceof Atom ? head.name : "";
  const kind = byTag.get(tup);
  const names = smallTuples.get(tup) ?? kind?.names[setOf(kind, fields.length) ?? "v1"];
  if (names?.length !== fields.length)
    return Object.fromEntries([["tup", "$"], ...elements.map((one, i) => [i, jsonOfTerm(one)])]);
  const given = names.map((name, i) => [name, jsonOfTerm(fields[i] ?? [])] as const);
  return Object.fromEntries([
    ["tup", tup],
    ...given.filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  ]);
}
