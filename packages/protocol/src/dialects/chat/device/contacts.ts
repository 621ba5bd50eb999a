// An entry of a roster as a Contact of chat, which of them the device was told of, and whole accounts.
import type { Contact } from "../../../packets/downlink.ts";
import { remembering } from "../../remembered.ts";
import type { RecordSet } from "../records/kinds.ts";
import type { ChatContact } from "../records/people.ts";

type Entry = Pick<Contact, "id" | "name" | "nick" | "avatar" | "relation" | "blocked" | "muted" | "changedAt">;

/** `status`: where a call has a word of its own for what it made of the entry. */
export function contactOf({ set }: { set: RecordSet }, entry: Entry, status = statusOf(entry)): ChatContact {
  const { id, name, nick, avatar, changedAt, muted } = entry;
  const [names, surnames] = namesOf(name);
  return {
    tup: "Contact",
    phone_id: id,
    avatar: avatar || undefined,
    names,
    surnames,
    nick: nick || undefined,
    update: changedAt,
    settings: muted
      ? [
          {
            tup: "Feature",
            id: `${id}_Notifications`,
            key: "Notifications",
            value: "false",
            group: "GROUP_NOTIFICATIONS",
          },
        ]
      : undefined,
    presence: "offline",
    status: set === "v1" && status === "ignore" ? "deleted" : status,
  };
}

/** A user who is no entry of a roster: oneself, or one who was looked for. */
export function contactOfUser(
  device: { set: RecordSet },
  { uid: id, name, nick, avatar }: { uid: string; name: string; nick: string; avatar: string },
): ChatContact {
  const entry = { id, name, nick, avatar, relation: "contact", blocked: false, muted: false, changedAt: 0 } as const;
  return contactOf(device, entry);
}

function statusOf({ relation, blocked }: Entry): string {
  if (blocked) return "banned";
  return { contact: "friend", requested: "request", pending: "authorization", none: "deleted", removed: "deleted" }[
    relation
  ];
}

/** A name in two: all but the last word, and that. */
export function namesOf(name: string): [names: string, surnames: string | undefined] {
  const at = name.lastIndexOf(" ");
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
}

export function nameOf(names: string | undefined, surnames: string | undefined): string {
  return [names, surnames].filter((part) => part !== undefined && part !== "").join(" ");
}

/** What of a roster the device was told, so that an answer and the notice of the same change are one. */
export interface Told {
  /** False: it knows this already. */
  isNews(entry: Pick<Contact, "id" | "changedAt">): boolean;
  /** While a call about a user is worked, its word for how the user stands is the notice's too, whichever comes first. */
  during<T>(id: string, status: string | undefined, work: () => Promise<T>): Promise<T>;
  statusOf(id: string): string | undefined;
  /** The device marks a conversation as read itself, and is answered. Resolves with the place. */
  marking(conv: string, mark: () => Promise<number>): Promise<number>;
  /** False: it knows that the conversation is read so far. */
  isReadNews(conv: string, seq: number): boolean;
}

const toldMax = 200;

export function createTold(): Told {
  const told = remembering<number>(toldMax);
  const statuses = new Map<string, string>();
  const marked = new Set<string>();
  const isLater = (name: string, value: number) => {
    if ((told.get(name) ?? -1) >= value) return false;
    told.set(name, value);
    return true;
  };
  return {
    isNews: ({ id, changedAt }) => isLater(id, changedAt),
    isReadNews: (conv, seq) => !marked.has(conv) && isLater(conv, seq),
    async marking(conv, mark) {
      marked.add(conv);
      try {
        const seq = await mark();
        isLater(conv, seq);
        return seq;
      } finally {
        marked.delete(conv);
      }
    },
    async during(id, status, work) {
      if (status !== undefined) statuses.set(id, status);
      try {
        return await work();
      } finally {
        statuses.delete(id);
      }
    },
    statusOf: (id) => statuses.get(id),
  };
}
