// @parley/store/copy: copying a store, for the program that does it.

export { listServices } from "../engines.ts";
export { StoreError } from "../store-error.ts";
export type { Difference } from "./compare.ts";
export { type CopyOptions, type CopyProgress, type CopyResult, copyStore } from "./copy-store.ts";
