// @parley/store/copy: copying a store, for the program that does it.
export { StoreError } from "../store-error.ts";
export type { Difference } from "./compare.ts";
export { type CopyOptions, type CopyProgress, type CopyResult, copyStore } from "./copy-store.ts";
export { listServices } from "./list-services.ts";
