// An outbox in a JSON lines file, for Node: survives kill -9 of the program (not a power cut: nothing is synced).
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { OutgoingMessage } from "./outbox.ts";
import type { OutboxStore } from "./outbox-store.ts";

type Line = { put: OutgoingMessage } | { remove: string };

const compactAfterLines = 1_000;

/** One program at a time may use a file. Lines that a kill cut short are left out. */
export function fileOutbox(path: string): OutboxStore {
  const kept = new Map<string, OutgoingMessage>();
  let lines = 0;
  let last: Promise<unknown> = Promise.resolve();

  // One write after the other, so that lines never mix.
  function write(work: () => Promise<unknown>): Promise<void> {
    const written = last.then(work);
    last = written.catch(() => {});
    return written.then(() => {});
  }

  async function compact(): Promise<void> {
    const aside = `${path}.new`;
    await writeFile(aside, [...kept.values()].map((put) => toLine({ put })).join(""), { mode: 0o600 });
    await rename(aside, path);
    lines = kept.size;
  }

  async function append(line: Line): Promise<void> {
    if (lines >= compactAfterLines && lines > 2 * kept.size) return compact();
    lines += 1;
    await appendFile(path, toLine(line), { mode: 0o600 });
  }

  return {
    load: async () => {
      await mkdir(dirname(path), { recursive: true });
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      for (const line of text.split("\n").flatMap(parseLine)) {
        if ("put" in line) kept.set(line.put.id, line.put);
        else kept.delete(line.remove);
      }
      await write(compact);
      return [...kept.values()];
    },
    put: (message) => {
      kept.set(message.id, message);
      return write(() => append({ put: message }));
    },
    remove: (id) => {
      kept.delete(id);
      return write(() => append({ remove: id }));
    },
  };
}

function toLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

function parseLine(text: string): Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return [];
  }
}
