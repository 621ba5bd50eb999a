// Of references that were handed over together some may fail: a partition whose history is away must not keep up the others.
import { AppError, isForNow } from "@parley/protocol";

/** What `take` of `followReferences` rejects with when some of what it was given failed, by `cause`: the rest is taken. */
export class SomeNotTaken extends Error {
  /** places in the stream of the JetStream messages that failed */
  readonly messages: ReadonlySet<number>;
  override readonly cause: AppError;

  constructor(messages: ReadonlySet<number>, cause: AppError) {
    super(cause.message);
    this.messages = messages;
    this.cause = cause;
  }
}

/** What came in one JetStream message of the stream. */
interface OfMessage {
  message: number;
}

/** Prepares each group by itself, takes together those that could be prepared, and throws `SomeNotTaken` of the others. */
export async function takeInGroups<Item extends OfMessage, Prepared>(
  groups: readonly Item[][],
  prepare: (group: Item[]) => Promise<Prepared>,
  take: (prepared: Prepared[]) => Promise<unknown>,
): Promise<void> {
  const settled = await Promise.allSettled(groups.map(prepare));
  const prepared = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const errors = settled.flatMap((one) => (one.status === "rejected" ? [AppError.from(one.reason)] : []));
  if (prepared.length > 0) await take(prepared);
  if (errors.length === 0) return;
  const failed = groups.filter((_, index) => settled[index]!.status === "rejected").flat();
  // One that may pass gives all of them another time; what will not pass is found when they come again.
  const cause = errors.find(isForNow) ?? errors[0]!;
  throw new SomeNotTaken(new Set(failed.map(({ message }) => message)), cause);
}
