// A disk of its own under one folder, which can be made full and have space again.
import { execFileSync } from "node:child_process";
import { mkdirSync, statfsSync } from "node:fs";

export interface SmallDisk {
  /** No byte more can be written. */
  fill(): void;
  empty(): void;
  unmount(): void;
}

/** Mounts it where `folder` is, made if it is not there; undefined where that is not allowed (only root may, on Linux). */
export function mountSmallDisk(folder: string, megabytes: number): SmallDisk | undefined {
  const mount = (...options: string[]) =>
    execFileSync("mount", ["-t", "tmpfs", "-o", options.join(","), "tmpfs", folder], { stdio: "ignore" });
  const resize = (bytes: number) => mount("remount", `size=${bytes}`);
  mkdirSync(folder, { recursive: true });
  try {
    mount(`size=${megabytes}m`);
  } catch {
    return undefined;
  }
  return {
    // As small as what is on it: nothing has to be written to take the space away.
    fill() {
      for (let attempt = 1; ; attempt += 1)
        try {
          const { blocks, bfree, bsize } = statfsSync(folder);
          return void resize((blocks - bfree) * bsize);
        } catch (error) {
          // Somebody wrote in between.
          if (attempt === 20) throw error;
        }
    },
    empty: () => void resize(megabytes * 1_048_576),
    unmount: () => void execFileSync("umount", ["--lazy", folder]),
  };
}
