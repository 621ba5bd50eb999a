// A process of its own for tests that kill a copy: copies, slowly enough to be killed in the middle, and tells each page.
import { type CopyProgress, copyStore } from "./copy-store.ts";

const [from = "", to = "", service] = process.argv.slice(2);
const progress = ({ step, entries, documents, files }: CopyProgress) => {
  process.stdout.write(`${step} ${entries} ${documents} ${files} files\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
};
const { differences } = await copyStore({
  from,
  to,
  partitions: 256,
  blobs: service ? { service } : undefined,
  progress,
});
process.stdout.write(`${differences.length} differences\n`);
