// Which files go to the build of the image: .dockerignore as Docker reads it, where the last line that fits decides.
import { readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** `path` is relative to the root of the repository. */
export function readDockerignore(): (path: string) => boolean {
  const lines = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ pattern: line.replace(/^!/, ""), isIgnored: !line.startsWith("!") }));
  return (path) => lines.reduce((isIgnored, line) => (fits(path, line.pattern) ? line.isIgnored : isIgnored), false);
}

/** A pattern fits a file, and a folder with all that is in it. */
function fits(path: string, pattern: string): boolean {
  const parts = path.split("/");
  return parts.some((_, index) => matchesGlob(parts.slice(0, index + 1).join("/"), pattern));
}
