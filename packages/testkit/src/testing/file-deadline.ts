// Loaded into every test file's process: a file that hangs, or whose run was ended, ends itself, and what it started ends
// with it.
const deadlineMs = Number(process.env.PARLEY_TEST_DEADLINE_MS);

setTimeout(() => {
  const resources = [...new Set(process.getActiveResourcesInfo())].join(", ");
  process.stderr.write(`still running after ${deadlineMs / 1_000} s (open: ${resources}): ${process.argv[1]}\n`);
  process.exit(1);
}, deadlineMs).unref();

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, 500).unref();

// Node 24.21 may spin for ever when it clears up at the end of a process that cut connections (`CleanupHandles`): it is left out. Last of
// all that is done at the end.
process.once("beforeExit", () => process.on("exit", () => process.exit()));
