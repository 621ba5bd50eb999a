#!/usr/bin/env node
// The way in, for a machine that has Node 20 or newer and npm: gets Node 24, pnpm, the packages and the servers,
// then runs what was asked for. Quiet when nothing is to be got.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const nodeVersion = "24.21.0";
const pnpmVersion = "12.21.0";

const root = dirname(fileURLToPath(import.meta.url));
const tools = join(root, ".tools");
const servers = [
  { program: "mosquitto", version: ["-h"], least: [2, 0], apt: "mosquitto", brew: "mosquitto" },
  { program: "mosquitto_pub", apt: "mosquitto-clients", brew: "mosquitto" },
  { program: "mosquitto_sub", apt: "mosquitto-clients", brew: "mosquitto" },
  { program: "redis-server", version: ["--version"], least: [7, 0], apt: "redis-server", brew: "redis" },
  { program: "nats-server", version: ["--version"], least: [2, 9], apt: "nats-server", brew: "nats-server" },
];

// Tests that need these are left out, loudly, where they cannot be had.
const extras = [
  { program: "faketime", apt: "faketime", brew: "libfaketime" },
  { program: "ffmpeg", apt: "ffmpeg", brew: "ffmpeg" },
];

const testkit = "packages/testkit/src/commands";
const commands = {
  start: { does: "everything on this machine, until Ctrl-C", servers, run: [`${testkit}/start.ts`] },
  test: {
    does: "every test (arguments: parts of the paths of test files)",
    servers,
    extras,
    run: [`${testkit}/test.ts`],
  },
  check: { does: "format, lint and types", servers: [], run: [`${testkit}/check.ts`] },
  "check:deploy": {
    does: "deploy/k8s by Kustomize and kubeconform (needs Go)",
    servers: [],
    run: ["test/deploy/kubernetes/main.ts"],
  },
  bench: { does: "the load test on real servers", servers, run: ["test/load/main.ts"] },
  fault: { does: "the long fault run (--minutes 30 --seed N)", servers, extras, run: ["test/fault/main.ts"] },
  soak: { does: "half load for long, memory watched (--minutes 30)", servers, run: ["test/load/soak/main.ts"] },
  clients: { does: "stock MQTT clients through bad days (clients --help)", servers, run: ["test/clients/main.ts"] },
  fuzz: { does: "every HTTP operation asked by a fuzzer (fuzz --help)", servers, run: ["test/fuzz/main.ts"] },
  conformance: {
    does: "what holds at a broker, case by case (conformance --help)",
    servers,
    run: ["test/conformance/main.ts"],
  },
  parley: { does: "the command line client (parley --help)", servers: [], run: ["packages/cli/src/main.ts"] },
};

const help = `node start.mjs COMMAND [arguments]   (or: npm run COMMAND -- [arguments])

${Object.entries(commands)
  .map(([name, { does }]) => `  ${name.padEnd(13)}${does}`)
  .join("\n")}

It gets what is missing: Node 24 and pnpm into .tools/, the packages into node_modules/, the servers (mosquitto,
redis-server, nats-server) by apt-get or Homebrew. Settings by environment: PARLEY_DIR (.parley), PARLEY_HTTP_PORT
(8080), PARLEY_MQTT_PORT (1883), PARLEY_WS_PORT (8083), STORE_URL (sqlite:$PARLEY_DIR/data),
PARLEY_REPLICAS (router=2,auth-webhook=2; parts that own a store only with STORE_URL=mongodb://…/DATABASE).
The tests of the MongoDB engine run against MONGODB_URL (a server where databases may be made and dropped), else mongod of
the PATH, else mongo-java-server, got by Maven where Java 17 and Maven are installed; else they are left out.
`;

// The others print one of their own.
const withoutHelp = ["start", "test", "check", "check:deploy"];
const asksHelp = (word) => word === "--help" || word === "-h";

/** Something the user can mend: shown as one line. */
class SetupError extends Error {}

function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Runs a program to its end; answers its output as one text. */
function capture(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", stdio: "pipe", ...options });
  return { ok: status === 0, text: `${stdout ?? ""}${stderr ?? ""}`, missing: error?.code === "ENOENT" };
}

/** What a failed npm, pnpm or apt-get means, in one line. */
function reasonOf(text) {
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|Could not resolve|Temporary failure/i.test(text)
  ) {
    return "no network, or the package registry cannot be reached";
  }
  if (/ENOSPC|No space left/i.test(text)) return "the disk is full";
  if (/EACCES|EPERM|EROFS|Permission denied/i.test(text)) return "permission denied";
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return (
    lines.find((line) => /^(npm (error|ERR!) (?!code)|ERR_|E: |\[?ERR)/i.test(line)) ??
    lines.at(-1) ??
    "no reason given"
  );
}

/** Where a program is, or undefined. */
function find(program) {
  for (const folder of process.env.PATH.split(":")) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  return undefined;
}

// Folders that servers are installed to and that not every shell has in its PATH.
function widenPath() {
  const brew = find("brew") ?? ["/opt/homebrew/bin/brew", "/usr/local/bin/brew"].find((file) => existsSync(file));
  const prefix = brew === undefined ? [] : [join(dirname(brew), "../bin"), join(dirname(brew), "../sbin")];
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", ...prefix];
  process.env.PATH = [...new Set(folders)].filter((folder) => folder !== "").join(":");
}

/** Installs one npm package into a folder of its own, whole or not at all. */
function installTool(name, version) {
  const folder = join(tools, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  say(`getting ${name} ${version} …`);
  const aside = `${folder}.${process.pid}`;
  mkdirSync(aside, { recursive: true });
  writeFileSync(join(aside, "package.json"), '{"private":true}\n');
  try {
    const args = ["install", "--prefix", aside, "--no-audit", "--no-fund", "--no-package-lock", `${name}@${version}`];
    const npm = find("npm");
    // Run by npm, its own path is known even where `npm` is not in the PATH.
    const viaNode = npm === undefined && process.env.npm_execpath;
    if (npm === undefined && !viaNode) throw new SetupError("npm was not found: install Node with npm");
    const result = viaNode
      ? capture(process.execPath, [process.env.npm_execpath, ...args], { cwd: aside })
      : capture(npm, args, { cwd: aside });
    if (!result.ok) throw new SetupError(`${name} ${version} could not be installed: ${reasonOf(result.text)}`);
    if (!existsSync(folder)) renameSync(aside, folder);
    return folder;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  const { platform, arch } = process;
  if (platform === "darwin") return brewNode();
  if (platform !== "linux" || !["x64", "arm64"].includes(arch)) {
    throw new SetupError(
      `Parley needs Node 24 or newer and does not know where to get it for ${platform} ${arch}: install it`,
    );
  }
  const name = `node-linux-${arch}`;
  const node = join(installTool(name, nodeVersion), "node_modules", name, "bin/node");
  if (!capture(node, ["--version"]).ok) {
    throw new SetupError(
      `Node ${nodeVersion} of npm does not run on this system (it needs glibc): install Node 24 or newer`,
    );
  }
  return node;
}

function brewNode() {
  const brew = find("brew");
  if (brew === undefined)
    throw new SetupError("Parley needs Node 24 or newer: install it, or Homebrew (https://brew.sh)");
  const node = () => join(capture(brew, ["--prefix", "node@24"]).text.trim(), "bin/node");
  if (!existsSync(node())) installByBrew(brew, ["node@24"]);
  return node();
}

/** Installs the workspace's packages if the lockfile is not the one they were installed from. */
function installPackages(node) {
  const stamp = join(root, "node_modules/.parley-installed");
  const lockfile = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockfile) return;
  const pnpm = findPnpm(node);
  say("installing the packages …");
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}`, CI: "true" };
  const [program, ...args] = [...pnpm, "install", "--frozen-lockfile"];
  const result = capture(program, args, { cwd: root, env });
  if (!result.ok) throw new SetupError(`the packages could not be installed: ${reasonOf(result.text)}`);
  writeFileSync(stamp, lockfile);
}

function findPnpm(node) {
  const own = find("pnpm");
  if (own !== undefined && /^12\./.test(capture(own, ["--version"], { cwd: "/" }).text.trim())) return [own];
  // Its install script puts a native binary in place; where npm does not run scripts, this entry finds the binary itself.
  return [node, join(installTool("pnpm", pnpmVersion), "node_modules/pnpm/bin/pnpm.mjs")];
}

function installServers(wanted) {
  const missing = wanted.filter(({ program }) => find(program) === undefined);
  if (missing.length > 0) installByManager(missing);
  for (const server of wanted) checkServer(server);
}

function installByManager(missing) {
  const brew = find("brew");
  const names = (manager) => [...new Set(missing.map((server) => server[manager]))];
  if (find("apt-get") && asRoot()) installByApt(names("apt"));
  else if (brew) installByBrew(brew, names("brew"));
  else throw new SetupError(`install these and start again: ${names("apt").join(", ")}`);
}

function installExtras(wanted) {
  try {
    const missing = wanted.filter(({ program }) => find(program) === undefined);
    if (missing.length > 0) installByManager(missing);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`going on without: ${error.message}`);
  }
}

function checkServer({ program, version, least, apt }) {
  if (find(program) === undefined)
    throw new SetupError(`${program} was not found, although its package ${apt} is installed`);
  if (least === undefined) return;
  const found = /(\d+)\.(\d+)[.\d]*/.exec(capture(find(program), version).text);
  const [text, major, minor] = found ?? ["of an unknown version", 0, 0];
  if (Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1])) return;
  throw new SetupError(`${program} is ${text} (${find(program)}); Parley needs ${least.join(".")} or newer: update it`);
}

/** The words before a command that needs root, or undefined where root cannot be had without a question. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return find("sudo") && capture("sudo", ["-n", "true"]).ok ? ["sudo", "-n"] : undefined;
}

function installByApt(packages) {
  const apt = [...asRoot(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"];
  const run = (...args) => capture(apt[0], [...apt.slice(1), ...args]);
  say(`installing ${packages.join(", ")} with apt-get …`);
  // Old lists may still do: only the installation counts.
  const update = run("update");
  const result = run("install", "-y", "--no-install-recommends", ...packages);
  if (result.ok) return;
  const reason = reasonOf(update.ok ? result.text : update.text);
  throw new SetupError(`apt-get could not install ${packages.join(", ")}: ${reason}`);
}

function installByBrew(brew, packages) {
  say(`installing ${packages.join(", ")} with Homebrew …`);
  const result = capture(brew, ["install", ...packages]);
  if (!result.ok) throw new SetupError(`Homebrew could not install ${packages.join(", ")}: ${reasonOf(result.text)}`);
}

/** Runs a file with Node 24 in our place: its signals are ours, and so is its end. */
function runWith(node, file, args) {
  if (!existsSync(join(root, file))) throw new SetupError(`${file} is not there`);
  // The channel only tells the other side when we are gone.
  const child = spawn(node, [file, ...args], { cwd: root, stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event !== undefined) endWithParent(child);
  child.on("error", (error) => fail(new SetupError(`${node} cannot be run: ${error.message}`)));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

// npm that is killed tells nobody; a start.mjs of one's own may go on without its shell.
function endWithParent(child) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 500);
  watch.unref();
}

function fail(error) {
  say(error instanceof SetupError ? `parley: ${error.message}` : error.stack);
  process.exit(1);
}

function main([name, ...rest]) {
  if (name === undefined || name === "help" || asksHelp(name)) return process.stdout.write(help);
  if (withoutHelp.includes(name) && rest.some(asksHelp)) return process.stdout.write(help);
  if (!Object.hasOwn(commands, name))
    throw new SetupError(`${name} is not a command: ${Object.keys(commands).join(", ")}`);
  const args = rest[0] === "--" ? rest.slice(1) : rest;
  const command = commands[name];
  if (Number(process.versions.node.split(".")[0]) < 20) throw new SetupError("Parley needs Node 20 or newer");
  widenPath();
  // What Node made of the sources is kept: each process of Parley starts with about half the work. Read-only: it does without.
  process.env.NODE_COMPILE_CACHE ??= join(tools, "compile-cache");
  const node = findNode();
  installPackages(node);
  installServers(command.servers);
  installExtras(command.extras ?? []);
  runWith(node, command.run[0], [...command.run.slice(1), ...args]);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
