// "@parley/client/node": what only Node has.
export { fileOutbox } from "./file-outbox.ts";
