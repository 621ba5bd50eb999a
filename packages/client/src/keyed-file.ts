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
  let damaged = false;
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

  async function append(added: Line<T>[]): Promise<void> {
    if (torn || (lines >= compactAfterLines && lines > 2 * kept.size)) return compact();
    lines += added.length;
    torn = true;
    await appendFile(path, added.map(toLine).join(""), { mode: 0o600 });
    torn = false;
  }

  return {
    /** All values, in the order in which their keys were first put. */
    async load(): Promise<T[]> {
      await mkdir(dirname(path), { recursive: true });
      const whole = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      // What stands behind the last line break was cut short, even where it happens to be JSON.
      for (const text of whole.split("\n").slice(0, -1)) {
        const line = parseLine<T>(text);
        if (!line) damaged = true;
        else if ("put" in line) kept.set(keyOf(line.put), line.put);
        else kept.delete(line.remove);
      }
      await write(compact);
      return [...kept.values()];
    },

    /** Whether `load` found a line within the file that nobody can read. */
    isDamaged: () => damaged,

    /** All in one write. Rejects when it could not be written; then the next write takes out what was not there before. */
    put(...values: T[]): Promise<void> {
      const fresh = values.filter((value) => !kept.has(keyOf(value)));
      for (const value of values) kept.set(keyOf(value), value);
      return write(() => append(values.map((put) => ({ put })))).catch((error: unknown) => {
        for (const value of fresh) kept.delete(keyOf(value));
        throw error;
      });
    },

    remove(key: string): Promise<void> {
      kept.delete(key);
      return write(() => append([{ remove: key }]));
    },
  };
}

function toLine(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

function parseLine<T>(text: string): Line<T> | undefined {
  try {
    const { put, remove } = JSON.parse(text);
    if (typeof put === "object" && put !== null) return { put };
    return typeof remove === "string" ? { remove } : undefined;
  } catch {
    return undefined;
  }
}
