// When a user changed what it keeps beside conversations, so that a device that was away knows whether to list it anew.
import { type HistoryStore, ownChangeKey } from "../keep/store.ts";

/** Before or beside the change: `at` of a sync lies far enough back that a device asks again for what came just after its note. */
export async function noteOwnChange(
  { ownChanges }: Pick<HistoryStore, "ownChanges">,
  uid: string,
  what: "drafts" | "stars",
): Promise<void> {
  await ownChanges.put([{ key: ownChangeKey(uid, what), doc: { at: Date.now() } }]);
}
