// Whether the store that everybody is about to open can be reached, found out before anything is started.
import { listServices } from "@parley/store/copy";
import { SetupError } from "../processes/setup-error.ts";

/** Throws a SetupError of one line for a URL that names no store, or one that cannot be had; makes nothing there. */
export async function checkStore(storeUrl: string): Promise<void> {
  await listServices(storeUrl).catch((cause: Error) => {
    throw cause.name === "StoreError" ? new SetupError(`STORE_URL: ${cause.message}`, { cause }) : cause;
  });
}
