// A message of one room as it is stored in a room that is nested there: the same sender, device and id, and the way that it came.
import {
  type AppendItem,
  type JsonObject,
  nestedOrigin,
  parseConv,
  parseExactly,
  pointingTypes,
  readExpiry,
  readMentions,
  roomConv,
  type StoredEntry,
  sentFile,
  type Via,
} from "@parley/protocol";

/** What a stored body holds, as far as it is read here. */
export interface Body extends JsonObject {
  id: string;
  content: JsonObject & { type: string; seq?: unknown };
  reply?: unknown;
  thread?: unknown;
  via?: readonly Via[];
}

/** An entry that goes on, read. */
export interface Leaving {
  entry: StoredEntry;
  body: Body;
  /** the same, whose numbers are as they were written */
  exact: Body;
  /** the way to the other rooms, this one last */
  via: Via[];
}

export function readLeaving(entry: StoredEntry): Leaving {
  const text = Buffer.from(entry.body).toString();
  const body = JSON.parse(text) as Body;
  const parsed = parseConv(entry.conv);
  const here = parsed?.kind === "room" ? [{ id: parsed.roomId, seq: entry.seq }] : [];
  const before = entry.origin === nestedOrigin ? (body.via ?? []) : [];
  return { entry, body, exact: parseExactly(text) as Body, via: [...before, ...here] };
}

/** The messages of its room that it refers to, in the order in which their places elsewhere are given to `copyFor`. */
export function refersTo({ entry: { type }, body: { content, reply, thread } }: Leaving): number[] {
  const named = pointingTypes.has(type) ? [content.seq] : [reply, thread];
  return named.filter((seq) => typeof seq === "number");
}

/** `places`: where in the other room what it refers to stands. Undefined: what it is about is not there. */
export function copyFor(leaving: Leaving, room: string, places: readonly (number | null)[]): AppendItem | undefined {
  const { entry, via } = leaving;
  const refers = referencesIn(leaving, places);
  if (!refers) return undefined;
  const { from, device, type, expiresAt, onward } = entry;
  const { id, prev: _, content: said, ...rest } = withoutReferences(leaving.exact);
  const { seq, ...answers } = refers;
  const content = contentOf(said, seq, onward?.options);
  const body = { id, ...rest, to: roomConv(room), content, ...answers, via };
  const mentions = readMentions(content as never);
  const file = sentFile(content)?.file;
  const expires = onward?.expiresAfterRead
    ? readExpiry({ expires: onward.expiresAfterRead, expiresFrom: "read" })
    : undefined;
  return {
    ...{ conv: roomConv(room), from, device, id, type, origin: nestedOrigin, via, ...answers },
    ...(mentions && { mentions }),
    ...(file !== undefined && { file }),
    ...(expires && { expires }),
    ...(expiresAt !== undefined && { expiresAt }),
    body: Buffer.from(JSON.stringify(body)),
  };
}

interface References {
  seq?: number;
  reply?: number;
  thread?: number;
}

// What answers something that is not there is said without it.
function referencesIn({ entry: { type }, body }: Leaving, places: readonly (number | null)[]): References | undefined {
  const [first] = places;
  if (pointingTypes.has(type)) return first == null ? undefined : { seq: first };
  const [reply, thread] = typeof body.reply === "number" ? places : [undefined, first];
  return { ...(reply != null && { reply }), ...(thread != null && { thread }) };
}

// A thread that is no number is a word of the sender's own.
function withoutReferences({ reply: _, thread, ...body }: Body): Body {
  return typeof thread === "string" ? { ...body, thread } : body;
}

// To mention all was a right there.
function contentOf(said: Body["content"], seq: number | undefined, options: readonly number[] | undefined) {
  const { mentions, ...rest } = said;
  const others = Array.isArray(mentions) ? mentions.filter((one) => one !== "@all") : [];
  return {
    ...rest,
    ...(others.length > 0 && { mentions: others }),
    ...(seq !== undefined && { seq }),
    ...(options && { options }),
  };
}
