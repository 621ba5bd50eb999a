// What the image starts: the service that the first argument names, or `parley`, the command line client. In this very process, so that
// signals and the exit code are the service's own.
import { readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const services = readdirSync(join(root, "services")).sort();
const [name = "", ...args] = process.argv.slice(2);

function programOf(name) {
  if (name === "parley") return "packages/cli/src/main.ts";
  return services.includes(name) ? `services/${name}/src/main.ts` : undefined;
}

const program = programOf(name);
if (program === undefined) {
  const said = name === "" ? "which service?" : `"${name}" is no service:`;
  process.stderr.write(`${said} one of ${services.join(", ")}; or parley, the command line client\n`);
  process.exit(64);
}
const file = join(root, program);
process.argv = [process.argv[0], file, ...args];
await import(file);
