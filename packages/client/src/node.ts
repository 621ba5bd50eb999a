// "@parley/client/node": what only Node has.
export { fileCache } from "./file-cache.ts";
export { fileOutbox } from "./file-outbox.ts";
export { fileSession } from "./file-session.ts";
