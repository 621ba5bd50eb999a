// What scheduled messages are worked with.
import type { ScheduledNotice } from "@parley/protocol";
import type { Logger, Pass } from "@parley/runtime";
import type { History } from "../history.ts";
import type { ApiStore } from "../store.ts";

export interface ScheduledParts {
  store: ApiStore;
  history: Pick<History, "append">;
  /** Tells all devices of the sender that are connected; others see it in the list. */
  tell(uid: string, notice: ScheduledNotice): void;
  pass: Pass;
  log: Logger;
}
