// A device of ASSChat's second form at a port that answers as its test says.
import { conversationsList, roomsGet, roomsList, roomsMembers } from "@parley/protocol";
import { dialectOf, type Said } from "@parley/protocol/dialects";
import { published, type RecordedParley, recordParley, treeOf } from "../recorded-parley.ts";

type Row = Record<string, unknown>;

/** Rooms of ada's: id → uid → what it may. */
const rooms: Record<string, Record<string, "read" | "write" | undefined>> = {
  tea: { ada: undefined, bob: undefined },
  coffee: { ada: undefined, bob: "read", cal: "write" },
};

export const roomOf = (id: string, more: object = {}) => {
  const names = { conv: `room/${id}`, name: `The ${id}`, nick: id, group: "", avatar: "" };
  return { id, ...names, createdBy: "ada", createdAt: 1, settings: {}, role: "member" as const, ...more };
};

export function open(filters = ["#"]) {
  const parley = recordParley("ada", filters);
  const tree = { ...treeOf("ada", "ada:pc"), filters };
  const speaker = dialectOf({ name: "asschat-json" })!.open(tree, parley);
  parley.answer(roomsList, () => ({ rooms: Object.keys(rooms).map((id) => roomOf(id)), next: null }));
  parley.answer(roomsGet, ({ id }) => roomOf(id));
  parley.answer(roomsMembers, ({ id }) => ({ members: membersOf(id), next: null }));
  parley.answer(conversationsList, () => ({ conversations: [conversation("room/coffee", true)], next: null }));
  const take = (topic: string, payload: unknown, more = {}) => speaker.take(published(topic, payload, more));
  const ask = async (verb: string, request: unknown, more = {}): Promise<Row | undefined> => {
    const before = parley.said.length;
    await take(`ass/s/${verb}`, request, more);
    return answersOf(parley.said.slice(before))[0];
  };
  return { parley, tree, speaker, take, ask };
}

function membersOf(id: string) {
  return Object.entries(rooms[id] ?? {}).map(([uid, mode]) => {
    const names = { name: uid.toUpperCase(), nick: uid, avatar: "", role: "member" as const, joinSeq: 1 };
    return { uid, ...names, ...(mode === undefined ? {} : { mode }) };
  });
}

function conversation(conv: string, muted: boolean) {
  const marks = { lastMessage: null, lastSeq: 0, readSeq: 0, unread: 0, pinned: false };
  return { conv, name: conv, ...marks, muted };
}

/** What was said on the device's own topic. */
export function answersOf(said: readonly Said[]): Row[] {
  return said.filter(({ topic }) => topic === "ass/c/ada:pc").map(({ payload }) => JSON.parse(`${payload}`));
}

/** What the port was asked for, but for reads. */
export function changesOf(parley: RecordedParley) {
  return parley.asks.filter(([what]) => !/^(rooms\.(get|list|members)|conversations\.list)$/.test(what));
}
