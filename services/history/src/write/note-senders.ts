// Who sent what came from other rooms, noted before it is stored: an erasure finds its messages in rooms that it never was in.
import type { LogEntry } from "@parley/store";
import { cameFrom } from "../fold/onward.ts";
import { type HistoryStore, memberKey } from "../keep/store.ts";
import type { Conversation } from "./conversation.ts";

/** Of one conversation; of more the first are noted again. */
const notedMax = 1_000;

/** Before the commit. Where nothing came to stand, nothing is found. */
export async function noteSenders(
  { senders }: Pick<HistoryStore, "senders">,
  entries: readonly LogEntry[],
  conversationOf: (conv: string) => Conversation | undefined,
): Promise<void> {
  const fresh = entries.filter((entry) => cameFrom(entry) && !isNoted(conversationOf(entry.conv), entry.from));
  if (fresh.length === 0) return;
  const docs = new Map(fresh.map(({ conv, from }) => [memberKey(conv, from), { conv, uid: from }]));
  await senders.put([...docs].map(([key, doc]) => ({ key, doc })));
  for (const { conv, uid } of docs.values()) note(conversationOf(conv), uid);
}

function isNoted(conversation: Conversation | undefined, uid: string): boolean {
  return conversation?.sendersNoted?.has(uid) === true;
}

function note(conversation: Conversation | undefined, uid: string): void {
  if (!conversation) return;
  conversation.sendersNoted ??= new Set();
  if (conversation.sendersNoted.size >= notedMax) conversation.sendersNoted.clear();
  conversation.sendersNoted.add(uid);
}
