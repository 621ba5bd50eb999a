// Erasing what one user sent in a conversation, a stretch at a time between two batches of its writer: each message keeps its
// place and holds nothing any more. Whoever dies on the way leaves a step that is done again.
import type { EraseReply, EraseRequest } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { LogEntry } from "@parley/store";
import { aboutOf } from "../fold/annotate.ts";
import { foldRecalls, infoOf, isCounted } from "../fold/fold-entry.ts";
import { type Annotations, annotationsKey } from "../keep/annotations.ts";
import { type HistoryStore, memberKey } from "../keep/store.ts";
import type { Holding } from "../write/holding.ts";
import { confirmCurrent, notMine, pause, type Writer } from "../write/writer.ts";

/** Entries that are looked at in one step, and their bodies. */
const stretch = { limit: 200, maxBytes: 1024 * 1024 };
/** Of those so many are emptied at once, */
const ownAtOnce = 50;
/** and no more are begun after so long: nothing is stored in the partition meanwhile. */
const stepMs = 500;

export async function eraseStep(holding: Holding, request: EraseRequest): Promise<EraseReply> {
  const writer = holding.partitions.writer(conversationPartition(request.conv));
  if (!writer) throw notMine();
  const reply = Promise.withResolvers<EraseReply>();
  await pause(writer, async () => {
    await confirmCurrent(writer);
    reply.resolve(await eraseStretch(writer, request));
  });
  return reply.promise;
}

async function eraseStretch(writer: Writer, { conv, uid, after }: EraseRequest): Promise<EraseReply> {
  const { store, projection } = writer;
  // What is on its way to the store would come in behind what is changed there now.
  await projection.flush(writer.q);
  const entries = await store.log.range(conv, { after, ...stretch });
  const last = entries.at(-1);
  if (!last) {
    writer.pass("before-member-removed");
    await forgetMember(writer, conv, uid);
    return { seqs: [], next: null };
  }
  const own = entries.filter(({ from }) => from === uid);
  const until = performance.now() + stepMs;
  let done = 0;
  for (; done < own.length && (done === 0 || performance.now() < until); done += ownAtOnce)
    await eraseEntries(writer, conv, { uid, own: own.slice(done, done + ownAtOnce) });
  const seqs = own
    .slice(0, done)
    .filter(isCounted)
    .map(({ seq }) => seq);
  const next = done < own.length ? (own[done - 1] as LogEntry).seq : last.seq;
  return { seqs, next };
}

// What was said about them, and what they say about others, first: the entries tell where that is.
async function eraseEntries(writer: Writer, conv: string, { uid, own }: { uid: string; own: readonly LogEntry[] }) {
  const { store, shelf, projection } = writer;
  await eraseAnnotations(store, conv, { uid, own });
  writer.pass("before-entries-erased");
  await store.log.erase(
    conv,
    own.map(({ seq }) => seq),
  );
  // As if they were recalled: they count as unread, and as mentions, no longer.
  const conversation = await shelf.load(conv);
  foldRecalls(
    conversation,
    own.filter(isCounted).map(({ seq, ord }) => [seq, ord] as const),
  );
  const info = infoOf(conversation);
  projection.touchInfo(info);
  await projection.put({ members: [], infos: [info] });
}

async function eraseAnnotations(
  { annotations }: HistoryStore,
  conv: string,
  { uid, own }: { uid: string; own: readonly LogEntry[] },
): Promise<void> {
  const mine = new Set(own.map(({ seq }) => seq));
  const about = own.flatMap((entry) => aboutOf(entry)?.seq ?? []);
  const keys = [...new Set([...mine, ...about])].map((seq) => annotationsKey(conv, seq));
  const known = await annotations.getMany(keys);
  const changed = [...known].map(([key, { doc }]) => ({ key, doc: without(doc, uid, mine) }));
  if (changed.length > 0) await annotations.put(changed);
}

function without(doc: Annotations, uid: string, mine: ReadonlySet<number>): Annotations {
  const { votes, ...rest } = doc;
  if (mine.has(doc.seq)) return { ...rest, edits: [], reactions: [] };
  const reactions = doc.reactions.filter(([, by]) => by !== uid);
  return { ...rest, reactions, ...(votes ? { votes: votes.filter(([by]) => by !== uid) } : {}) };
}

// Read marks, settings, what it had deleted; that copies of its messages are here. Its uid is in the log: who folds that again makes
// an empty one.
async function forgetMember({ store, shelf, q }: Writer, conv: string, uid: string): Promise<void> {
  shelf.forget((one) => one === conv, q);
  await Promise.all([store.members, store.senders].map((kept) => kept.remove(memberKey(conv, uid))));
}
