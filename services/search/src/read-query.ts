// What somebody typed, as what is asked of the index: words, "words in a row", beginnings*, and operators.
import { AppError, isUid, p2pConv, parseConv, roomConv } from "@parley/protocol";
import { type AttachmentKind, attachmentKinds, phrasesOf, type SearchTerm } from "@parley/store";

export interface AskedQuery {
  terms: SearchTerm[];
  /** absent: all conversations */
  in?: string[];
  from?: string;
  has: AttachmentKind[];
  /** unix ms, whole seconds */
  since?: number;
  until?: number;
}

const operators = ["from", "in", "before", "after", "has"] as const;
type Operator = (typeof operators)[number];

const known = operators.map((name) => `${name}:`).join(" ");
const termsMost = 20;
const prefixLeast = 2;
// A phrase, or what goes up to the next space.
const pieces = /"([^"]*)"|(\S+)/g;

/** Throws `invalid_packet` that says what is wrong and what to write instead. `uid`: who asks. */
export function readQuery(query: string, uid: string): AskedQuery {
  const asked: AskedQuery = { terms: [], has: [] };
  for (const [, phrase, piece = ""] of query.matchAll(pieces)) {
    const [, name, value = ""] = /^([a-z]+):(?!\/\/)(.*)$/is.exec(piece) ?? [];
    if (phrase !== undefined) addTerm(asked, { text: phrase });
    // "Re: lunch" has no operator in it.
    else if (name !== undefined && (value !== "" || isOperator(name))) readOperator(asked, { name, value, uid });
    else if (piece.includes('"')) throw refusal('a quote is not closed: "words in a row"');
    else addTerm(asked, readWord(piece));
  }
  if (asked.terms.length > termsMost) throw refusal(`more than ${termsMost} words`);
  if (asked.terms.length === 0 && asked.has.length === 0 && asked.from === undefined)
    throw refusal("the query has no word to look for, and no from: or has:");
  return asked;
}

// Signs alone are not looked for.
function addTerm({ terms }: AskedQuery, term: SearchTerm): void {
  if (phrasesOf(term).length > 0) terms.push(term);
}

function readWord(piece: string): SearchTerm {
  if (!piece.endsWith("*")) return { text: piece };
  const text = piece.replace(/\*+$/, "");
  const last = phrasesOf({ text, isPrefix: true }).at(-1);
  if (last?.isPrefix && [...(last.words.at(-1) ?? "")].length < prefixLeast && /^[\p{ASCII}]*$/u.test(text))
    throw refusal(`${piece}: a beginning has at least ${prefixLeast} letters`);
  return { text, isPrefix: true };
}

const isOperator = (name: string) => operators.some((one) => one === name.toLowerCase());

function readOperator(asked: AskedQuery, { name, value, uid }: { name: string; value: string; uid: string }): void {
  const operator = operators.find((one) => one === name.toLowerCase());
  if (operator === undefined)
    throw refusal(`unknown operator ${name.slice(0, 40)}: (known are ${known}); to look for the text put it in quotes`);
  if (value === "") throw refusal(`${operator}: is not followed by a value`);
  readers[operator](asked, value, uid);
}

const readers: Record<Operator, (asked: AskedQuery, value: string, uid: string) => void> = {
  from(asked, value) {
    const from = withoutAt(value);
    if (!isUid(from)) throw refusal("from: is followed by the id of a user");
    setOnce(asked, "from", from, "from:");
  },
  in(asked, value, uid) {
    asked.in = [...(asked.in ?? []), readConv(value, uid)];
  },
  before: (asked, value) => setOnce(asked, "until", readTime("before", value), "before:"),
  after: (asked, value) => setOnce(asked, "since", readTime("after", value), "after:"),
  has(asked, value) {
    const kind = attachmentKinds.find((one) => one === value.toLowerCase());
    if (kind === undefined) throw refusal(`has: is followed by ${attachmentKinds.join(", ")}`);
    if (!asked.has.includes(kind)) asked.has.push(kind);
  },
};

function setOnce<Name extends "from" | "since" | "until">(
  asked: AskedQuery,
  name: Name,
  value: Required<AskedQuery>[Name],
  operator: string,
): void {
  if (asked[name] !== undefined) throw refusal(`${operator} is given twice`);
  asked[name] = value;
}

// As people name a user in a message: `@bob`.
const withoutAt = (name: string) => name.replace(/^@/, "");

// `#general`, a user, or a conversation as it is spelled.
function readConv(written: string, uid: string): string {
  const value = withoutAt(written);
  const conv = value.startsWith("#") ? roomConv(value.slice(1)) : isUid(value) ? p2pConv(uid, value) : value;
  if (parseConv(conv)) return conv;
  throw refusal("in: is followed by #room, a user or a conversation");
}

const dayPattern = /^\d{4}-\d\d-\d\d$/;
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/i;

// A day is UTC's, and so is a time that names no zone.
function readTime(operator: string, value: string): number {
  const isDay = dayPattern.test(value);
  const hasZone = /(Z|[+-]\d\d:\d\d)$/i.test(value.slice(11));
  const ms = isDay || timePattern.test(value) ? Date.parse(isDay || hasZone ? value : `${value}Z`) : Number.NaN;
  const isOfCalendar =
    Number(value.slice(8, 10)) <=
    new Date(Date.UTC(Number(value.slice(0, 4)), Number(value.slice(5, 7)), 0)).getUTCDate();
  if (!Number.isNaN(ms) && isOfCalendar) return Math.max(0, ms);
  throw refusal(`${operator}: is followed by a day like 2026-11-28 or a time like 2026-11-28T09:30Z`);
}

function refusal(message: string): AppError {
  return new AppError("invalid_packet", message);
}
