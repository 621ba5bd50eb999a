// A disk of a few megabytes under one folder, which a test can fill and empty.
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "@parley/testkit";

export interface SmallDisk {
  /** Takes all the space that is left. */
  fill(): void;
  empty(): void;
}

/** Mounts it where `folder` is, made if it is not there; undefined where that is not allowed (only root may, on Linux). */
export function mountSmallDisk(t: TestContext, folder: string, megabytes: number): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  t.after(() => execFileSync("umount", ["--lazy", folder]));
  const ballast = join(folder, "ballast");
  return {
    fill() {
      const file = openSync(ballast, "a");
      for (let bytes = 65_536; bytes > 0; )
        try {
          writeSync(file, Buffer.alloc(bytes, 1));
        } catch {
          bytes = Math.floor(bytes / 2);
        }
      closeSync(file);
    },
    empty: () => rmSync(ballast),
  };
}
