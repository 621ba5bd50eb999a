// What uploads and downloads stand on.
import type { Logger, Pass } from "@parley/runtime";
import type { Blobs } from "@parley/store";
import type { History } from "../history.ts";
import type { ApiStore } from "../store.ts";
import type { FileLimits } from "./limits.ts";
import type { Looks } from "./looks.ts";

export interface FileParts {
  store: ApiStore;
  blobs: Blobs;
  history: Pick<History, "mayFetch">;
  /** Something was stored that is to be looked at. */
  wake(): void;
  /** others may have a file only when it has been scanned */
  scans: boolean;
  limits: FileLimits;
  looks: Looks;
  log: Logger;
  pass: Pass;
  /** aborted when the server stops: what is under way ends */
  closing: AbortSignal;
}
