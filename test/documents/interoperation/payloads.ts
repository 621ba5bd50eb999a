// Payloads as the page shows them: JSON in one line, terms of Erlang as records with the names of their fields.
import type { Said } from "@parley/protocol/dialects";
import { decodeTerm } from "../../../packages/protocol/src/dialects/chat/bert/decode.ts";
import { Atom, type Term, Tuple } from "../../../packages/protocol/src/dialects/chat/bert/term.ts";
import { desc, feature, message, typing } from "../../../packages/protocol/src/dialects/chat/records/messages.ts";
import { contact } from "../../../packages/protocol/src/dialects/chat/records/people.ts";
import { member, room } from "../../../packages/protocol/src/dialects/chat/records/rooms.ts";

const textOf = (payload: Said["payload"]) =>
  typeof payload === "string" ? payload : new TextDecoder().decode(payload);

/** Without the fields named; what is no JSON as it is. */
export function shownJson({ payload }: Said, without: readonly string[]): string {
  const text = textOf(payload);
  if (!text.startsWith("{")) return text;
  const fields = Object.entries(JSON.parse(text)).filter(([name]) => !without.includes(name));
  return JSON.stringify(Object.fromEntries(fields));
}

/** Of ASSChat: its properties, then the payload. */
export function shownProperties({ payload, properties }: Said, without: readonly string[]): string {
  const pairs = (properties?.userProperties ?? []).filter(([name]) => !without.includes(name));
  const mime = properties?.contentType === undefined ? [] : [["Content Type", properties.contentType] as const];
  return [...pairs, ...mime]
    .map(([name, value]) => `${name}: ${value}`)
    .concat(textOf(payload))
    .join(" · ");
}

const kinds = new Map(
  [desc, feature, message, typing, contact, member, room].map((kind) => [kind.tag as string, kind]),
);

/** What says nothing of a message's content: whose it is and where it stands. */
const placeFields: readonly string[] = ["id", "container", "feed_id", "prev", "next", "from", "to", "created"];

export function shownTerm({ payload }: Said, whole?: "whole"): string {
  return written(decodeTerm(payload as Uint8Array), whole ? [] : placeFields);
}

function written(term: Term, without: readonly string[]): string {
  if (term instanceof Atom) return /^[a-z][\w@]*$/.test(term.name) ? term.name : `'${term.name}'`;
  if (term instanceof Uint8Array) return `<<${JSON.stringify(new TextDecoder().decode(term))}>>`;
  if (Array.isArray(term)) return `[${term.map((one) => written(one, without)).join(",")}]`;
  if (!(term instanceof Tuple)) return `${term}`;
  const [head, ...fields] = term.elements;
  const tag = head instanceof Atom ? head.name : "";
  const names = kinds.get(tag)?.shape(fields.length, "v1");
  if (names === undefined) return `{${term.elements.map((one) => written(one, without)).join(",")}}`;
  const given = fields.flatMap((field, at) => {
    const name = names[at] ?? "";
    const isLeftOut = without.includes(name) && !(tag === "Room" && name === "id");
    return isNothing(field) || isLeftOut ? [] : [`${name}=${written(field, without)}`];
  });
  return `#'${tag}'{${given.join(", ")}}`;
}

/** An empty list, an empty text, a counter at 0. */
function isNothing(term: Term): boolean {
  if (term instanceof Uint8Array) return term.byteLength === 0;
  return term === 0 || (Array.isArray(term) && term.length === 0);
}
