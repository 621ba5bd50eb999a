#!/usr/bin/env node
// The `parley` program.
import { run } from "./program.ts";

process.exitCode = await run(process.argv.slice(2));
// Whatever still listens (a terminal, a socket that ends) does not hold up the shell.
process.exit();
