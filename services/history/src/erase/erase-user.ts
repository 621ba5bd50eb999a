// What history keeps of a user outside of conversations: stars, drafts, doors; and its packets among the dead letters.
import type { JetStreamManager } from "@nats-io/jetstream";
import { type EraseUserReply, type EraseUserRequest, streams } from "@parley/protocol";
import type { HistoryStore } from "../keep/store.ts";

const pageDocuments = 200;
/** Dead letters that are looked at for one question. */
const pageLetters = 500;
const pageConversations = 100;

/** Some of the conversations of which a member document of the user is kept, or that hold copies of its messages; none: there are no more. */
export async function conversationsOf({ store }: { store: HistoryStore }, uid: string): Promise<string[]> {
  const query = { index: "by_uid", equals: [uid], limit: pageConversations };
  const [members, senders] = await Promise.all([store.members.find(query), store.senders.find(query)]);
  return [...new Set([...members.items, ...senders.items].map(({ doc }) => doc.conv))];
}

/** Again is harmless. Of dead letters a page. */
export async function eraseUser(
  { store, manager }: { store: HistoryStore; manager: JetStreamManager },
  { uid, after = 0 }: EraseUserRequest,
): Promise<EraseUserReply> {
  await store.stars.remove(uid);
  await removeAll(store.drafts, { index: "by_uid", equals: [uid] });
  await removeAll(store.ownChanges, { from: `${uid} `, before: `${uid}!` });
  await removeAll(store.threads, { index: "by_uid", equals: [uid] });
  await store.doors.remove(uid);
  // Behind a space comes "!"; the account's own door, `{uid} *`, stays.
  await removeAll(store.doors, { from: `${uid} +`, before: `${uid}!` });
  return { next: await removeDeadLetters(manager, uid, after) };
}

async function removeAll(
  collection: Pick<HistoryStore["drafts" | "ownChanges" | "threads" | "doors"], "find" | "remove">,
  which: { index?: string; equals?: string[]; from?: string; before?: string },
): Promise<void> {
  for (;;) {
    const { items } = await collection.find({ ...which, limit: pageDocuments });
    for (const { key } of items) await collection.remove(key);
    if (items.length === 0) return;
  }
}

// Dead letters carry the packet, and its topic the user. Answers up to where there are none of it; null: that is all.
async function removeDeadLetters(manager: JetStreamManager, uid: string, after: number): Promise<number | null> {
  const { name } = streams.dead;
  const { state } = await manager.streams.info(name);
  if (state.messages === 0) return null;
  const first = Math.max(after + 1, state.first_seq);
  const last = Math.min(first + pageLetters - 1, state.last_seq);
  for (let seq = first; seq <= last; seq++) {
    const letter = await manager.streams.getMessage(name, { seq });
    // The last argument but the stream and place: overwritten on the disk, too.
    if (letter?.string().includes(`/${uid}/`)) await manager.streams.deleteMessage(name, letter.seq, true);
  }
  return last < state.last_seq ? last : null;
}
