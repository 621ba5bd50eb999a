// Makes a folder with those above it, or says why not: Node's own recursive mkdir never ends where one cannot be made (/proc).
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** 0700, and those above it that are missing. Throws the system's error. */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  for (let at = resolve(folder); !isFolder(at); at = dirname(at)) missing.unshift(at);
  for (const one of missing)
    try {
      mkdirSync(one, { mode: 0o700 });
    } catch (error) {
      // Another process may have made it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !isFolder(one)) throw error;
    }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
