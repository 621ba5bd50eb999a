// Whom a stored message is for: its conversation's members, but for who sent it.
import { AppError, namedMembers, parseConv, type Receiver, type StoredReference } from "@parley/protocol";
import { type Members, membersAt } from "@parley/runtime";

/** A list that is older is asked for again, as the word of a change may have been lost. */
const listAgeMs = 60_000;

export interface Whom {
  /** An event was stored there: lists of members of before it are old, whoever else has heard of it. */
  changed(reference: StoredReference): void;
  /** Throws `unavailable` when history does not say. */
  of(reference: StoredReference): Promise<Receiver[]>;
}

export function createWhom(members: Members, now: () => number = () => performance.now()): Whom {
  async function inRoom({ conv, seq, from }: StoredReference): Promise<Receiver[]> {
    const at = { seq, memberSeq: 0 };
    const known = members.known(conv, at);
    if (known && now() - known.askedAt > listAgeMs) known.isOld = true;
    const list = members.known(conv, at) ?? (await members.read(conv, at));
    const { users, devices } = membersAt(list, seq);
    const receivers: Receiver[] = users.map((uid) => ({ uid }));
    for (const { uid, clientId } of devices) receivers.push({ uid, devices: [clientId] });
    return receivers.filter(({ uid }) => uid !== from);
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
