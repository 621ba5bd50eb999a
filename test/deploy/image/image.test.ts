import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { freePort } from "@parley/testkit";
import { serviceNames, settingsOf } from "../settings-of.ts";
import { type BuiltImage, buildHere, hasStrip } from "./build-here.ts";
import { readDockerfile } from "./dockerfile.ts";

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const image = readDockerfile();
const start = readFileSync(join(root, "start.mjs"), "utf8");
const versionOf = (name: string) => new RegExp(`const ${name}Version = "(.*)"`).exec(start)?.[1];

/** As `docker images` counts gcr.io/distroless/cc-debian12: the C library, libstdc++, OpenSSL, certificates, time zones. */
const baseBytes = 25_000_000;
const mostBytes = 250_000_000;

function findPnpm(): string | undefined {
  const own = join(root, `.tools/pnpm-${versionOf("pnpm")}/node_modules/pnpm/bin/pnpm.mjs`);
  if (existsSync(own)) return `node ${own}`;
  return spawnSync("pnpm", ["--version"]).status === 0 ? "pnpm" : undefined;
}

const pnpm = findPnpm();
const skip = pnpm === undefined ? "no pnpm" : false;
const dir = mkdtempSync(join(tmpdir(), "parley-image-"));
after(() => rmSync(dir, { recursive: true, force: true }));
const built = skip ? (undefined as unknown as BuiltImage) : await buildHere(dir, pnpm!);

/** Runs the image's entrypoint, of the image's own files, with nothing but the image's environment. */
function entrypoint(...args: string[]) {
  const words = image.entrypoint.map((word) => join(built.folder, word));
  return run(words[0]!, [...words.slice(1), ...args], { env: image.env, cwd: join(built.folder, "app") });
}

test("the image has Node and pnpm of the versions that this repository is developed with", () => {
  assert.equal(image.stages[0]?.base, `node:${versionOf("node")}-bookworm`);
  assert.ok(image.stages[0]?.steps.some(({ text }) => text.includes(`pnpm@${versionOf("pnpm")} `)));
});

test("the image starts every service and parley, of the files that its build has put there", { skip }, async () => {
  for (const service of serviceNames) {
    const { stdout } = await entrypoint(service, "--help");
    assert.match(stdout, new RegExp(`^parley ${service}: settings by environment`), service);
  }
  assert.match((await entrypoint("parley", "--help")).stdout, /^Usage: parley /);
});

test("parley in the image has the brokers' configurations, and so gets as far as asking the broker", {
  skip,
}, async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const [key, hookSecret] = ["api-key", "hook-secret"].map((name) => join(dir, name)) as [string, string];
  writeFileSync(key, "key:secret\n");
  writeFileSync(hookSecret, `${"h".repeat(40)}\n`);
  const given = ["--hooks", "http://hooks:8090", "--key-file", key, "--hook-secret-file", hookSecret];
  for (const kind of ["emqx", "vernemq"])
    await assert.rejects(
      entrypoint("parley", "broker", "setup", kind, nobody, ...given),
      (error: { stderr: string }) => {
        assert.match(error.stderr, /does not answer: .*ECONNREFUSED/);
        return true;
      },
    );
});

test("what is no service ends with one line that names those that are", { skip }, async () => {
  const line = `one of ${[...serviceNames].sort().join(", ")}; or parley, the command line client`;
  await assert.rejects(entrypoint("routers"), { code: 64, stderr: `"routers" is no service: ${line}\n` });
  await assert.rejects(entrypoint(), { code: 64, stderr: `which service? ${line}\n` });
  await assert.rejects(entrypoint("../testkit"), { code: 64 });
});

test("the programs that are not JavaScript run: a picture is made and a password is hashed", { skip }, async () => {
  const code = `const load = require("node:module").createRequire(process.argv[1]);
    const picture = load("sharp")({ create: { width: 1, height: 1, channels: 3, background: "red" } });
    const made = [picture.webp().toBuffer(), load("@node-rs/argon2").hash("word")];
    Promise.all(made).then(([bytes, hash]) => console.log(bytes.subarray(8, 12) + " " + hash.slice(0, 9)));`;
  const api = join(built.folder, "app/services/api/package.json");
  const { stdout } = await run(join(built.folder, image.entrypoint[0]!), ["-e", code, api], { env: image.env });
  assert.equal(stdout, "WEBP $argon2id\n");
});

test("no test, no test kit and no tool of development is in the image", { skip }, () => {
  const app = join(built.folder, "app");
  const packages = readdirSync(join(app, "node_modules/.pnpm"));
  const tools = /^(esbuild|typescript|@biomejs|@typescript|ajv-cli|dockerfile-ast|fake-indexeddb|hdr-histogram)/;
  assert.deepEqual(
    packages.filter((name) => tools.test(name)),
    [],
  );
  assert.deepEqual(
    globSync(["{packages,services}/**/*.test.ts", "packages/testkit/src/**/*.ts", "test"], { cwd: app }),
    [],
  );
});

test("the image is smaller than 250 MB, its base included", {
  skip: skip || (hasStrip ? false : "no strip (binutils)"),
}, () => {
  const all = built.bytes + baseBytes;
  assert.ok(all < mostBytes, `${Math.round(all / 1e6)} MB`);
});

test("its list of parts (CycloneDX) has every package that services and parley name, in the version of the lockfile", {
  skip,
}, () => {
  const { bomFormat, components } = JSON.parse(readFileSync(join(built.folder, "app/sbom.cdx.json"), "utf8")) as {
    bomFormat: string;
    components: { purl: string; version: string }[];
  };
  assert.equal(bomFormat, "CycloneDX");
  const listed = new Set(components.map(({ purl }) => decodeURIComponent(purl.replace(/^pkg:npm\/|@[^@]*$/g, ""))));
  const files = globSync(["services/*/package.json", "packages/{cli,client,protocol,runtime,store}/package.json"], {
    cwd: root,
  });
  assert.ok(files.length > 10);
  for (const file of files) {
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const name of Object.keys(dependencies).filter((one) => !one.startsWith("@parley/")))
      assert.ok(listed.has(realNameOf(name)), `${name} of ${file}`);
  }
});

/** `nats` and `apn` are other packages by another name: the catalog says which. */
function realNameOf(name: string): string {
  const catalog = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  return new RegExp(`^  ${name}: npm:(.+)@`, "m").exec(catalog)?.[1] ?? name;
}

test("the image is nobody in particular: a user that has a number and no rights", () => {
  assert.match(image.user, /^[1-9]\d*:[1-9]\d*$/);
});

test("each setting that the image makes is one of a service, and each service is asked for its health on its own port", () => {
  const known = new Set(serviceNames.flatMap((name) => Object.keys(settingsOf(name)!.properties)));
  const others = ["NODE_ENV", "XDG_CONFIG_HOME"];
  assert.deepEqual(
    Object.keys(image.env).filter((key) => !known.has(key) && !others.includes(key)),
    [],
  );
  for (const name of serviceNames) assert.equal(image.env[`${settingsOf(name)!.prefix}_HEALTH_PORT`], "9090", name);
});

test("the health check says why a service is not well, and ends with 1", { skip }, async () => {
  const [program = "", ...args] = image.healthcheck.map((word) => join(built.folder, word));
  const env = { ROUTER_HEALTH_PORT: String(await freePort()) };
  await assert.rejects(run(program, args, { env }), {
    code: 1,
    stdout: `port ${env.ROUTER_HEALTH_PORT}: ECONNREFUSED\n`,
  });
});
