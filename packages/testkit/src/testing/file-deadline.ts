// Loaded into every test file's process: a file that hangs ends itself, and what it started ends with it.
const deadlineMs = Number(process.env.PARLEY_TEST_DEADLINE_MS);

setTimeout(() => {
  const resources = [...new Set(process.getActiveResourcesInfo())].join(", ");
  process.stderr.write(`still running after ${deadlineMs / 1_000} s (open: ${resources}): ${process.argv[1]}\n`);
  process.exit(1);
}, deadlineMs).unref();
