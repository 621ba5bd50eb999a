// What happened in a conversation, in words: who came and went, what the room is from here on.
import { devicesNamed, type MembershipEvent } from "../rooms.ts";

/** An event's `content.data` as a sentence. `about`: the words of the message at a seq; `from`: who did it. */
export function eventText(data: unknown, from: string, about: (seq: number) => string): string {
  const event = (data !== null && typeof data === "object" ? data : {}) as Partial<MembershipEvent>;
  const { event: name, by = from, uids = [] } = event;
  const words = name !== undefined && Object.hasOwn(sentences, name) ? sentences[name] : undefined;
  if (!words) return `[event] ${JSON.stringify(data ?? null).slice(0, 1_000)}`;
  return words({ ...event, by, who: names(uids), about });
}

type Said = Partial<MembershipEvent> & { by: string; who: string; about: (seq: number) => string };

const sentences: Readonly<Record<MembershipEvent["event"], (said: Said) => string>> = {
  create({ by, name, who, invited }) {
    return `${by} made the room ${name ?? ""}${who === "" ? "" : ` with ${who}`}${asked(invited)}`;
  },
  invite({ by, uids = [], invited = [] }) {
    const added = uids.filter((uid) => !invited.includes(uid));
    if (added.length === 0) return `${by} invited ${names(invited)}`;
    return `${by} added ${names(added)}${asked(invited)}`;
  },
  join: ({ who, by }) => `${who || by} joined`,
  leave: leaving,
  block: leaving,
  remove: ({ by, who }) => `${by} removed ${who}`,
  ban: ({ by, who }) => `${by} banned ${who}`,
  unban: ({ by, who }) => `${by} no longer bans ${who}`,
  unblock: ({ by }) => `${by} may be invited again`,
  role: ({ by, who, role = "member" }) => `${by} made ${who} ${role}`,
  transfer: ({ by, who }) => `${by} handed the room over to ${who}`,
  mute({ by, who, until }) {
    return `${by} muted ${who}${typeof until === "number" ? ` until ${new Date(until).toISOString()}` : ""}`;
  },
  mode({ by, who, mode = "read-write" }) {
    const may = { "read-write": "reads and writes", read: "only reads", write: "only writes" }[mode];
    return `${by}: ${who} ${may} from now on`;
  },
  devices({ by, who, uids = [], devices = {}, way }) {
    const named = uids.flatMap((uid) => devicesNamed(devices, uid) ?? []);
    if (way === "out") return `${by} removed ${names(named)}`;
    return `${by} added ${named.length > 0 ? names(named) : `all devices of ${who}`}`;
  },
  unmute: ({ by, who }) => `${by} lets ${who} write again`,
  update: ({ by, name, room }) => `${by} changed the room: ${[name, room?.topic].filter(Boolean).join(", ")}`,
  archive: ({ by }) => `${by} archived the room`,
  unarchive: ({ by }) => `${by} took the room into use again`,
  delete: ({ by }) => `${by} deleted the room`,
  ask: ({ by, who }) => `${who || by} asks to be let in`,
  admit: ({ by, who }) => `${by} let ${who} in`,
  refuse: ({ by, who }) => (who === "" || who === by ? `${by} does not come in` : `${by} does not let ${who} in`),
  link: ({ by }) => `${by} made an invite link`,
  unlink: ({ by }) => `${by} ended an invite link`,
  nest: ({ by, rooms = [] }) => `${by}: what is said here goes on to ${names(rooms)}`,
  unnest: ({ by, rooms = [] }) => `${by}: what is said here goes on to ${names(rooms)} no more`,
  pin: ({ by, seq, about }) => `${by} pinned: ${seq === undefined ? "" : about(seq)}`,
  unpin: ({ by, seq, about }) => `${by} unpinned: ${seq === undefined ? "" : about(seq)}`,
  expiry({ by, expiry }) {
    if (!expiry) return `${by}: messages stay`;
    const since = expiry.from === "read" ? "being read" : "being sent";
    return `${by}: messages disappear ${expiry.seconds} s after ${since}`;
  },
};

function leaving({ by, who, owner }: Said): string {
  return `${who || by} left${owner === undefined ? "" : `; ${owner} owns the room now`}`;
}

function asked(invited: readonly string[] | undefined): string {
  return invited === undefined || invited.length === 0 ? "" : ` and invited ${names(invited)}`;
}

const namedAtMost = 10;

function names(uids: readonly string[]): string {
  const others = uids.length - namedAtMost;
  return others > 0 ? `${uids.slice(0, namedAtMost).join(", ")} and ${others} others` : uids.join(", ");
}
