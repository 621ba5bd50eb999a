// `npm run check`: format and lint, then types; both are always run.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../programs/programs.ts";

const checks = [
  ["biome", "check", "."],
  ["tsc", "-p", "."],
] as const;

const failed = checks.filter(([program, ...args]) => {
  const { status } = spawnSync(join(root, "node_modules/.bin", program), args, { cwd: root, stdio: "inherit" });
  return status !== 0;
});
if (failed.length > 0) process.stderr.write(`failed: ${failed.map((check) => check.join(" ")).join(", ")}\n`);
process.exit(failed.length > 0 ? 1 : 0);
