// A reply of history.push, filled until it is full.
import type { PushState } from "@parley/protocol";

/** What is answered about one that was asked for. */
export interface Answered {
  state: PushState;
  uid: string;
  place: string;
  /** JSON of the message */
  text: string | null;
  room: { conv: string; name: string } | undefined;
  /** of the user */
  badge: number;
}

// `{"states":[],"messages":{},"badges":{},"rooms":{}}`
const overhead = 64;

/** `room`: bytes it may have. `add` answers false for what has no room any more; the first always has. */
export function startReply(room: number): { add(answered: Answered): boolean; text(): string } {
  const states: string[] = [];
  const messages = new Map<string, string>();
  const badges = new Map<string, string>();
  const rooms = new Map<string, string>();
  let left = room - overhead;

  const lines = ({
    place,
    text,
    uid,
    badge,
    room,
  }: Answered): [lines: Map<string, string>, key: string, line: string][] => [
    ...(messages.has(place) ? [] : [line(messages, place, text ?? "null")]),
    ...(badges.has(uid) ? [] : [line(badges, uid, String(badge))]),
    ...(!room || rooms.has(room.conv) ? [] : [line(rooms, room.conv, JSON.stringify(room.name))]),
  ];

  return {
    add(answered) {
      const state = JSON.stringify(answered.state);
      const added = lines(answered);
      const bytes = [state, ...added.map(([, , text]) => text)].reduce(
        (sum, text) => sum + Buffer.byteLength(text) + 1,
        0,
      );
      if (bytes > left && states.length > 0) return false;
      left -= bytes;
      states.push(state);
      for (const [lines, key, text] of added) lines.set(key, text);
      return true;
    },
    text: () =>
      `{"states":[${states.join(",")}],"messages":${object(messages)},"badges":${object(badges)},"rooms":${object(rooms)}}`,
  };
}

function line(lines: Map<string, string>, key: string, value: string): [Map<string, string>, string, string] {
  return [lines, key, `${JSON.stringify(key)}:${value}`];
}

function object(lines: ReadonlyMap<string, string>): string {
  return `{${[...lines.values()].join(",")}}`;
}
