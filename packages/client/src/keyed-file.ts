// Values by key in a JSON lines file, for Node: survives kill -9 of the program (not a power cut: nothing is synced).
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

type Line<T> = { put: T } | { remove: string };

const compactAfterLines = 1_000;

export type KeyedFile<T> = ReturnType<typeof openKeyedFile<T>>;

/** One program at a time may use a file. A line that was cut short, by a kill or a full disk, is left out. */
export function openKeyedFile<T>(path: string, keyOf: (value: T) => string) {
  const kept = new Map<string, T>();
  let lines = 0;
  // The end of the file may be half a line: it is written anew before anything follows it.
  let torn = false;
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
    torn = false;
  }

  async function append(line: Line<T>): Promise<void> {
    if (torn || (lines >= compactAfterLines && lines > 2 * kept.size)) return compact();
    lines += 1;
    torn = true;
    await appendFile(path, toLine(line), { mode: 0o600 });
    torn = false;
  }

  return {
    /** All values, in the order in which their keys were first put. */
    async load(): Promise<T[]> {
      await mkdir(dirname(path), { recursive: true });
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      // What stands behind the last line break was cut short, even where it happens to be JSON.
      for (const line of text
        .split("\n")
        .slice(0, -1)
        .flatMap(parseLine<T>)) {
        if ("put" in line) kept.set(keyOf(line.put), line.put);
        else kept.delete(line.remove);
      }
      await write(compact);
      return [...kept.values()];
    },

    /** Rejects when it could not be written; then it is not in the file, or the next write takes it out. */
    put(value: T): Promise<void> {
      const key = keyOf(value);
      const before = kept.get(key);
      kept.set(key, value);
      return write(() => append({ put: value })).catch((error: unknown) => {
        if (before === undefined) kept.delete(key);
        throw error;
      });
    },

    remove(key: string): Promise<void> {
      kept.delete(key);
      return write(() => append({ remove: key }));
    },
  };
}

function toLine(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

function parseLine<T>(text: string): Line<T>[] {
  try {
    return [JSON.parse(text) as Line<T>];
  } catch {
    return [];
  }
}
