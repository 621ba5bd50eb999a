// What a router does for a device that has not asked for it: greets it, tells it what others said. The calls that this takes are
// not counted as packets of the device.
import { AsyncLocalStorage } from "node:async_hooks";

const unasked = new AsyncLocalStorage<true>();

/** Also what the task begins and does not wait for. */
export function doUnasked<T>(task: () => T): T {
  return unasked.run(true, task);
}

export function isUnasked(): boolean {
  return unasked.getStore() === true;
}
