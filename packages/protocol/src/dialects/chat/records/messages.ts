// The records of conversations: messages, what they hold, and where they are.
import { BertError, Tuple } from "../bert/term.ts";
import { anything, atom, int, type Kind, list, oneOrMore, text, textOrInt, time } from "./kinds.ts";
import { type RecordOf, record } from "./record.ts";

/** A setting, or a piece of what is known of a file. */
export const feature = record("Feature", { id: text, key: text, value: text, group: text });
export type Feature = RecordOf<typeof feature>;

/** One attachment; the text of a message is one too. */
export const desc = record(
  "Desc",
  { id: text, mime: atomText("text"), payload: text, size: int(0), filename: text, info: text },
  { id: text, mime: atomText("text"), payload: text, parentid: text, data: list(feature) },
);
export type Desc = RecordOf<typeof desc>;

const p2p = record("p2p", { from: text, to: text });
const muc = record("muc", { name: text });
/** Where scheduled messages were kept. */
const act = record("act", { name: text, data: anything });

/** Where a message is: `{p2p, A, B}` or `{muc, Room}`. */
export type Feed = RecordOf<typeof p2p> | RecordOf<typeof muc> | RecordOf<typeof act>;

export const feed: Kind<Feed> = {
  read(term, set) {
    if (!(term instanceof Tuple)) return p2p.read(term, set);
    const kind = [p2p, muc, act].find(({ tag }) => (term.elements[0] as { name?: string }).name === tag);
    if (!kind) throw new BertError("a feed is {p2p, A, B} or {muc, Room}");
    return kind.read(term, set);
  },
  write(value, set) {
    if (value?.tup === "muc") return muc.write(value, set);
    return value?.tup === "act" ? act.write(value, set) : p2p.write(value, set);
  },
};

/** The message that is answered: its id, or itself. */
const link: Kind<number> = {
  read: (term, set) => (term instanceof Tuple ? message.read(term, set)?.id : int().read(term, set)),
  write: (value) => value ?? [],
};

const head = {
  id: int(),
  container: atom("chain"),
  feed_id: feed,
  prev: int(),
  next: int(),
  msg_id: text,
  from: text,
  to: text,
  created: time,
  files: list(desc),
  type: oneOrMore(atom()),
};
const ofV1 = { ...head, edit_msg: int(), seenby: oneOrMore(textOrInt), status: atom() };

export const message = record(
  "Message",
  ofV1,
  {
    ...head,
    link,
    seenby: oneOrMore(textOrInt),
    repliedby: list(int()),
    mentioned: list(int()),
    status: atom(),
  },
  // As its document writes the calls: before `seenby`.
  [Object.keys(ofV1).filter((name) => name !== "seenby")],
);
export type ChatMessage = RecordOf<typeof message>;

export const history = record("History", {
  roster_id: textOrInt,
  feed,
  size: int(0),
  entity_id: int(0),
  data: list(message),
  status: atom(),
});

/** How a feed was marked as read before `History/update`. */
export const cursor = record("Cursor", { feed, side: int(), position: int() });

export const tag = record(
  "Tag",
  { id: int(), roster_id: textOrInt, name: text, color: text, status: atom() },
  { roster_id: textOrInt, name: text, color: text, status: atom() },
);

export const star = record(
  "Star",
  { roster_id: textOrInt, message, tags: anything, status: atom() },
  { id: int(), client_id: text, roster_id: textOrInt, message, tags: anything, status: atom() },
);
export type Star = RecordOf<typeof star>;

export const typing = record("Typing", { author: text, room: text }, { phone_id: text, comments: anything });

export const ack = record("Ack", { table: atom("Message"), id: text });

/** A binary that some write as an atom. */
function atomText(otherwise: string): Kind<string> {
  return { read: text.read, write: (value, set) => text.write(value ?? otherwise, set) };
}
