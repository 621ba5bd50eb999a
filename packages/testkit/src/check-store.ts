// Whether the store that everybody is about to open can be reached, found out before anything is started.
import { listServices } from "@parley/store/copy";
import { SetupError } from "./setup-error.ts";

/** Throws a SetupError of one line for a MongoDB that cannot be had; makes nothing there. SQLite's files are each service's own affair. */
export async function checkStore(storeUrl: string): Promise<void> {
  if (storeUrl.startsWith("sqlite:")) return;
  await listServices(storeUrl).catch((cause: Error) => {
    throw cause.name === "StoreError" ? new SetupError(`STORE_URL: ${cause.message}`, { cause }) : cause;
  });
}
