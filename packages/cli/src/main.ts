#!/usr/bin/env node
// The `parley` program.
import { run } from "./program.ts";

// `parley history bob | head`: whoever read has what they wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});
process.exitCode = await run(process.argv.slice(2));
// A slow reader gets all of it; but a terminal or socket that still listens does not hold up the shell.
process.stdout.write("", () => process.exit());
