// threads.update: whether a user follows a thread, and how far it has read in it.
import { AppError, type Caller, type ParamsOf, type ThreadState, type threadsUpdate } from "@parley/protocol";
import { mayRead } from "../fold/members.ts";
import { type ThreadMark, threadKey } from "../keep/store.ts";
import { threadState } from "../read/thread-state.ts";
import { findThread } from "../read/threads.ts";
import { changeOwn, type Owning } from "./own.ts";

const roundsMax = 20;

export async function updateThread(
  owning: Owning,
  asked: ParamsOf<typeof threadsUpdate>,
  caller: Caller,
): Promise<ThreadState | AppError> {
  const { conv, seq } = asked;
  const { store } = owning;
  const { uid } = caller;
  const found = await findThread(owning, conv, seq, caller);
  if (found instanceof AppError) return found;
  const lastSeq = found.annotations.thread?.findLast(([at]) => mayRead(found.member, at))?.[0] ?? 0;
  // By the conversation's change a sync with `since` finds the thread's: noted before, as whoever dies behind it has told nobody.
  const noted = await changeOwn(owning, { conv, asker: caller }, () => undefined);
  if (noted instanceof AppError) return noted;
  const mark = await changeMark(owning, { conv, seq, uid }, (known) => changed(known, asked, lastSeq));
  if (mark instanceof AppError) return mark;
  owning.pass("before-own-reply");
  const recalled = (await store.infos.get(conv))?.doc.recalled;
  const thread = threadState(found.member, found.annotations, { mark, recalled });
  owning.tell(found.member, { type: "thread", conv, thread });
  return thread;
}

type Change = Pick<ThreadMark, "following" | "readSeq">;

// Who begins to follow has seen what is there.
function changed(
  known: Change | undefined,
  { following, read = 0 }: ParamsOf<typeof threadsUpdate>,
  lastSeq: number,
): Change {
  const begins = following === true && known?.following !== true;
  return {
    following: following ?? known?.following ?? false,
    readSeq: Math.max(known?.readSeq ?? 0, begins ? lastSeq : Math.min(read, lastSeq)),
  };
}

async function changeMark(
  { store }: Owning,
  thread: Pick<ThreadMark, "conv" | "seq" | "uid">,
  change: (known: Change | undefined) => Change,
): Promise<ThreadMark | AppError> {
  const key = threadKey(thread);
  for (let round = 0; round < roundsMax; round++) {
    const known = await store.threads.get(key);
    const doc: ThreadMark = { ...thread, ...change(known?.doc), changedAt: Date.now() };
    if (await (known ? store.threads.update(key, doc, known.version) : store.threads.insert(key, doc))) return doc;
  }
  return new AppError("unavailable", "the thread changed again and again meanwhile");
}
