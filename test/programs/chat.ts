// chat, by its document (v1): records of Erlang to events/1/…; one's own Message comes back with its number, and is the ack.
import { p2pConv, roomConv } from "@parley/protocol";
import { decodeTerm } from "../../packages/protocol/src/dialects/chat/bert/decode.ts";
import { encodeTerm } from "../../packages/protocol/src/dialects/chat/bert/encode.ts";
import { Atom, type Term, Tuple } from "../../packages/protocol/src/dialects/chat/bert/term.ts";
import type { Heard, Program, Told } from "./program.ts";

/** Where a client publishes: the levels behind say nothing. */
const uplink = "events/1//api/anon//";
/** The low bits of a message's number are its place in the feed. */
const places = 2 ** 26;

const text = (value: string): Term => Buffer.from(value);
const tuple = (name: string, ...fields: Term[]) => new Tuple([new Atom(name), ...fields]);

/** A record to send, as bytes. */
export function chatRecord(name: string, ...fields: Term[]): { topic: string; payload: Buffer } {
  return { topic: uplink, payload: Buffer.from(encodeTerm(tuple(name, ...fields))) };
}

export const chat: Program = {
  name: "chat",
  login: (uid, device) => ({ dialect: "chat", clientid: `emqttd_${uid}_${device}` }),
  filters: () => [],
  echoes: "always",
  // {Message, id, container, feed_id, prev, next, msg_id, from, to, created, files, type, edit_msg, seenby, status}
  write({ id, from, to, text: said }) {
    const [feed, other] =
      "room" in to
        ? [tuple("muc", text(to.room)), to.room]
        : [tuple("p2p", ...[from, to.user].sort().map(text)), to.user];
    const desc = tuple("Desc", text(`d-${id}`), text("text"), text(said), 0, [], []);
    const head = [[], new Atom("chain"), feed, [], [], text(id), text(from), text(other), Date.now()];
    return chatRecord("Message", ...head, [desc], [], [], [], new Atom("client"));
  },
  read(uid, _topic, payload) {
    const [name, ...fields] = recordOf(payload);
    if (name === "io") return refusalOf(fields[0]);
    return name === "Message" && fields.length === 14 ? toldOf(uid, fields) : [];
  },
};

/** The name and fields of the record in a packet; of anything else nothing. */
export function recordOf(payload: Buffer): [name: string, ...fields: Term[]] {
  const term = payload[0] === 131 ? decodeTerm(payload) : undefined;
  const [head, ...fields] = term instanceof Tuple ? term.elements : [];
  return [nameOf(head), ...fields];
}

function toldOf(uid: string, fields: readonly Term[]): Told[] {
  const [number, , feed, , , msgId, from, , , files, , , , status] = fields;
  const [kind, one, other] = feed instanceof Tuple ? feed.elements : [];
  const conv = nameOf(kind) === "muc" ? roomConv(read(one)) : p2pConv(read(one), read(other));
  const seq = Number(number) % places;
  const [desc] = Array.isArray(files) ? (files as readonly Term[]) : [];
  const [, , mime, said] = desc instanceof Tuple ? desc.elements : [];
  const isText = nameOf(status) === "sent" && read(mime) === "text";
  const heard: Heard = {
    kind: "message",
    conv,
    from: read(from),
    id: read(msgId),
    seq,
    ...(isText ? { text: read(said) } : {}),
  };
  return heard.from === uid ? [heard, { kind: "ack", id: heard.id, seq }] : [heard];
}

function refusalOf(code: Term | undefined): Told[] {
  const [kind, word] = code instanceof Tuple ? code.elements : [];
  return nameOf(kind) === "error" ? [{ kind: "refusal", words: nameOf(word) }] : [];
}

function nameOf(term: Term | undefined): string {
  return term instanceof Atom ? term.name : "";
}

function read(term: Term | undefined): string {
  return term instanceof Uint8Array ? Buffer.from(term).toString() : nameOf(term);
}
