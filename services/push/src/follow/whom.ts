// Whom a stored message is for: its conversation's members.
import { AppError, namedMembers, parseConv, type Receiver, type StoredReference } from "@parley/protocol";
import { type Members, membersAt } from "@parley/runtime";

/** A list that is older is asked for again, as the word of a change may have been lost. */
const listAgeMs = 60_000;

export interface Whom {
  /** An event was stored there: lists of members of before it are old, whoever else has heard of it. */
  changed(reference: StoredReference): void;
  /** In a room who sent it is among them. Throws `unavailable` when history does not say. */
  of(reference: StoredReference): Promise<readonly Receiver[]>;
}

export function createWhom(members: Members, now: () => number = () => performance.now()): Whom {
  /** A large room's are made once for all its messages. */
  const made = new WeakMap<object, readonly Receiver[]>();

  async function inRoom({ conv, seq }: StoredReference): Promise<readonly Receiver[]> {
    const at = { seq, memberSeq: 0 };
    const kept = members.known(conv, at);
    if (kept && now() - kept.askedAt > listAgeMs) kept.isOld = true;
    const list = members.known(conv, at) ?? (await members.read(conv, at));
    const recipients = membersAt(list, seq);
    const known = made.get(recipients);
    if (known) return known;
    const { users, devices } = recipients;
    const receivers: Receiver[] = users.map((uid) => ({ uid }));
    for (const { uid, clientId } of devices) receivers.push({ uid, devices: [clientId] });
    made.set(recipients, receivers);
    return receivers;
  }

  return {
    changed: ({ conv, seq }) => members.changed(conv, seq),
    async of(reference) {
      const conversation = parseConv(reference.conv);
      if (conversation?.kind === "dev")
        return conversation.uid === reference.from ? [] : [{ uid: conversation.uid, devices: [conversation.clientId] }];
      const named = conversation && namedMembers(conversation);
      if (named) return named.filter((uid) => uid !== reference.from).map((uid) => ({ uid }));
      try {
        return await inRoom(reference);
      } catch (thrown) {
        const error = AppError.from(thrown);
        // The room is gone, or was never one.
        if (error.code === "not_found") return [];
        throw error;
      }
    },
  };
}
