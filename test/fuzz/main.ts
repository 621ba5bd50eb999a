// `npm run fuzz`: the whole HTTP interface of a cluster of its own, asked by schemathesis from its OpenAPI document.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCluster } from "@parley/testkit";
import { fuzzer } from "./tool.ts";
import { type Ids, makeWorld } from "./world.ts";

const help = `npm run fuzz -- [options]

  --examples N     requests made up for each operation and caller, beside the edges of each field (default 30)
  --seed N         the same requests again
  --only REGEX     of the operations' paths
  --help

Starts everything in a temporary folder, with people, a room and a file in it, and asks every operation as a user, with a
server key and as the operator. Ends with 1 when an answer is a server error, or one that docs/openapi.json does not have:
a status, a content type or a body. Installs schemathesis into .tools/ (Python 3.10 or newer).
`;

const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/** They end the login that they are asked with: asked last, each with a login of its own. */
const endings = "^/(logout|password|devices(/.*)?)$";

/** Limits of rates would answer most of what is asked. */
const unlimited = {
  API_RATE: "1000000",
  API_BURST: "1000000",
  API_ADDRESS_RATE: "1000000",
  API_ADDRESS_BURST: "1000000",
};

const log = (line: string) => process.stderr.write(`${line}\n`);

const { values: options } = parseArgs({
  options: {
    examples: { type: "string", default: "30" },
    seed: { type: "string" },
    only: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) process.stdout.write(help);
else process.exitCode = await main();

interface Turn {
  title: string;
  token: string;
  which: readonly string[];
  /** paths name what there is; without, what the fuzzer makes up */
  config?: string;
}

async function main(): Promise<number> {
  const numbers = [options.examples, options.seed ?? "0"];
  if (!numbers.every((text) => /^\d{1,9}$/.test(text))) {
    log("fuzz: --examples and --seed are whole numbers");
    return 2;
  }
  const program = await fuzzer(log);
  const dir = await mkdtemp(join(tmpdir(), "parley-fuzz-"));
  const cluster = await startCluster({ dir, log, env: { ...unlimited, PARLEY_LOG_LEVEL: "warn" } });
  try {
    const { ids, token, serverKey } = await makeWorld(cluster);
    const config = join(dir, "schemathesis.toml");
    await writeFile(config, configOf(ids));
    const all = options.only === undefined ? [] : ["--include-path-regex", options.only];
    const going = [...all, "--exclude-path-regex", endings];
    const turns: Turn[] = [
      { title: "as a user, about things of its own", token: await token(), which: going, config },
      { title: "as a user, about anything", token: await token(), which: going },
      { title: "with a server key", token: serverKey, which: all },
      { title: "as the operator", token: cluster.servicesSecret, which: all },
      { title: "what ends a login", token: await token(), which: ["--include-path-regex", endings] },
    ];
    const codes: number[] = [];
    for (const turn of turns) codes.push(await fuzz(program, dir, `${cluster.run().http}/docs/json`, turn));
    return codes.every((code) => code === 0) ? 0 : 1;
  } finally {
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function fuzz(
  program: string,
  dir: string,
  schema: string,
  { title, token, which, config }: Turn,
): Promise<number> {
  process.stdout.write(`\n${title}\n`);
  const args = [
    ...(config ? ["--config-file", config] : []),
    "--no-color",
    "run",
    schema,
    "--header",
    `Authorization: Bearer ${token}`,
    "--checks",
    checks,
  ];
  args.push("--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--max-examples", options.examples);
  args.push("--suppress-health-check", "all", "--warnings", "off", ...which);
  if (options.seed !== undefined) args.push("--seed", options.seed);
  // What it remembers between runs is left in the folder that is removed.
  const env = {
    ...process.env,
    PYTHONPATH: import.meta.dirname,
    PYTHONDONTWRITEBYTECODE: "1",
    SCHEMATHESIS_HOOKS: "media_types",
  };
  const child = spawn(program, args, { cwd: dir, env, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function configOf({ conv, room, file, uid, seq }: Ids): string {
  const given = (regex: string, parameters: Record<string, string | number>) =>
    [
      "[[operations]]",
      `include-path-regex = ${JSON.stringify(regex)}`,
      `parameters = { ${Object.entries(parameters)
        .map(([name, value]) => `"path.${name}" = ${JSON.stringify(value)}`)
        .join(", ")} }`,
    ].join("\n");
  return [
    given("^/conversations", { conv, seq }),
    given("^/rooms/[^/]+$|^/rooms/.*/(members|links|bans|join|admit)", { id: room, uid }),
    given("^/roster", { id: uid }),
    given("^/attachments", { id: file }),
    given("^/users", { uid }),
  ].join("\n\n");
}
