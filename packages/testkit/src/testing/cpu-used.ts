// Loaded into every test file's process: at its end it leaves the CPU seconds that it and what it started took, where the runner looks for them.
import { readFileSync, writeFileSync } from "node:fs";

const ticksPerSecond = 100;

process.on("exit", () => {
  const file = process.env.PARLEY_TEST_CPU;
  if (file === undefined || process.platform !== "linux") return;
  // proc(5): utime, stime, cutime, cstime, of which the last two are of children that were waited for
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ").slice(11, 15) ?? [];
  writeFileSync(file, String(fields.reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond));
});
