// A wall clock of its own for each service process (libfaketime): it can be set while the process runs.
import { globSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../processes/child.ts";

export interface Clocks {
  /** What a process is started with so that its clock is the one of this name. */
  envOf(name: string): Environment;
  /** From about now on the clock is this far from the real one. */
  set(name: string, offsetMs: number): void;
}

const places = ["/usr/lib/*/faketime", "/usr/lib*/faketime", "/usr/local/lib/faketime"];

/** undefined where libfaketime is not installed (apt: `faketime`). */
export function openClocks(dir: string): Clocks | undefined {
  const library = places.flatMap((place) => globSync(`${place}/libfaketime.so.1`))[0];
  if (library === undefined) return undefined;
  const folder = join(dir, "clocks");
  mkdirSync(folder, { recursive: true });
  const set = (name: string, offsetMs: number) => {
    const seconds = offsetMs / 1_000;
    const aside = join(folder, `${name}.new`);
    writeFileSync(aside, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    renameSync(aside, join(folder, name));
  };
  return {
    envOf(name) {
      set(name, 0);
      return {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: join(folder, name),
        // Read once a second: at every look at the clock would cost a service a tenth of its speed.
        FAKETIME_CACHE_DURATION: "1",
        // Timers and time-outs stand on the monotonic clock, which nobody can set on a real machine either.
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
        NO_FAKE_STAT: "1",
      };
    },
    set,
  };
}
