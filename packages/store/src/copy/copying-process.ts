// A process of its own for tests that kill a copy: copies, slowly enough to be killed in the middle, and tells each page.
import { copyStore } from "./copy-store.ts";

const [from = "", to = ""] = process.argv.slice(2);
const progress = ({ step, entries, documents }: { step: string; entries: number; documents: number }) => {
  process.stdout.write(`${step} ${entries} ${documents}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
};
const { differences } = await copyStore({ from, to, partitions: 256, progress });
process.stdout.write(`${differences.length} differences\n`);
