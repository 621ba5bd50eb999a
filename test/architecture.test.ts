// The rules of the tree that no linter knows.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
const sources = globSync("{packages,services}/*/{src,scripts}/**/*.ts", { cwd: root })
  .concat(globSync("test/**/*.ts", { cwd: root }))
  .filter((path) => !path.includes("node_modules"))
  .map((path) => ({ path, text: readFileSync(`${root}/${path}`, "utf8") }));
const own = sources.filter(({ path }) => !path.endsWith(".test.ts") && !path.startsWith("test/"));

// Comments may name topics and programs; code may not.
const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
const imports = (text: string) => [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, name = ""]) => name);
const offenders = (files: typeof own, wrong: (file: (typeof own)[number]) => unknown) =>
  files.filter(wrong).map(({ path }) => path);

test("nothing refers to a document by a number that readers do not have", () => {
  assert.deepEqual(
    offenders(sources, ({ text }) => /\b[A-Z]{5,} \u00a7/.test(text)),
    [],
  );
});

test("no service imports a service, and no package does", () => {
  const importsService = ({ path, text }: (typeof own)[number]) =>
    imports(code(text)).some((name) => {
      const service =
        /(?:^@parley\/|services\/)(auth-webhook|router|presence|history|search|push|api|edge)(?:\/|$)/.exec(name)?.[1];
      return service !== undefined && !path.startsWith(`services/${service}/`);
    });
  assert.deepEqual(offenders(own, importsService), []);
});

// Of every file the files it imports by their path, types included.
const relativeImports = new Map(
  own.map(({ path, text }) => [
    path,
    imports(code(text))
      .filter((name) => name.startsWith("."))
      .map((name) => join(dirname(path), name)),
  ]),
);

// Of a graph those nodes that a way leads back to.
function inCircles(graph: ReadonlyMap<string, Iterable<string>>): string[] {
  const comesBack = (start: string) => {
    const seen = new Set<string>();
    const ahead = [...(graph.get(start) ?? [])];
    for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
      if (node === start) return true;
      if (seen.has(node)) continue;
      seen.add(node);
      ahead.push(...(graph.get(node) ?? []));
    }
    return false;
  };
  return [...graph.keys()].filter(comesBack);
}

test("no files import each other in a circle, types included", () => {
  assert.deepEqual(inCircles(relativeImports), []);
});

test("arrows between the folders of a package go one way", () => {
  const graph = new Map<string, Set<string>>();
  for (const [path, targets] of relativeImports)
    for (const folder of targets.map((target) => dirname(target))) {
      const from = dirname(path);
      // The files beside the folders are what the folders stand on, or what puts them together.
      if (basename(from) === "src" || basename(folder) === "src" || from === folder) continue;
      graph.set(from, (graph.get(from) ?? new Set()).add(folder));
    }
  assert.deepEqual(inCircles(graph), []);
});

test("the folders of history import nothing that stands beside them", () => {
  const inFolders = [...relativeImports].filter(([path]) => /^services\/history\/src\/\w+\//.test(path));
  const upward = inFolders.filter(([, targets]) =>
    targets.some((target) => dirname(target) === "services/history/src"),
  );
  assert.ok(inFolders.length > 20);
  assert.deepEqual(upward, []);
});

test("no function, constant or class is exported that no other file names", () => {
  const passedOn = /^export (\*|(type )?\{[^}]*\}) from "[^"]+";$/gm;
  const tests = globSync("{packages,services}/*/test/**/*.ts", { cwd: root }).map((path) =>
    readFileSync(`${root}/${path}`, "utf8"),
  );
  const files = new Map<string, number>();
  for (const text of [...sources.map((one) => one.text), ...tests])
    for (const word of new Set(
      code(text)
        .replaceAll(passedOn, "")
        .match(/[A-Za-z_$][\w$]*/g),
    ))
      files.set(word, (files.get(word) ?? 0) + 1);
  const exported = own.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:async )?(?:function\*?|const|class) ([\w$]+)/gm)].map(([, name = ""]) => ({
      path,
      name,
    })),
  );
  assert.ok(exported.length > 500);
  assert.deepEqual(
    exported.filter(({ name }) => files.get(name) === 1),
    [],
  );
});

test("protocol does no I/O: it imports no node: module but node:crypto in partition.ts and digest.ts, and node:zlib in inflate.ts", () => {
  const protocol = own.filter(({ path }) => path.startsWith("packages/protocol/src/"));
  const importsNode = ({ path, text }: (typeof own)[number]) =>
    imports(code(text)).some((name) => name.startsWith("node:") && !/\/(partition|digest|inflate)\.ts$/.test(path));
  assert.deepEqual(offenders(protocol, importsNode), []);
});

test("topics and subjects are spelled in packages/protocol and nowhere else", () => {
  const literal =
    /["'`](im\/(up|dn|x)\/|(stored|dead|rpc|members|history|presence|users|tokens)\.[a-z$]*[.$]|(history|presence|users|tokens)\.(append|members|receipt|change|connect|session|state|verify|exists|revo))/;
  const others = own.filter(({ path }) => !path.startsWith("packages/protocol/"));
  assert.deepEqual(
    offenders(others, ({ text }) => literal.test(code(text))),
    [],
  );
});

test("no path of a file is taken from a URL, where a space or an é is written as %", () => {
  const fromUrl = /import\.meta\.url\)\.pathname|"--import", (join|resolve)\(/;
  assert.deepEqual(
    offenders(sources, ({ text }) => fromUrl.test(code(text))),
    [],
  );
});

// A linter sees a promise that nobody takes; not one that is kept in a variable, looked at, and left there to reject.
test("no promise is asked for, found to be one, and asked for again", () => {
  const left = /!\(?\s*\(?\w+ instanceof Promise/;
  assert.deepEqual(
    offenders(own, ({ text }) => left.test(code(text))),
    [],
  );
});

test("no file has more than 400 lines of code", () => {
  const lines = (text: string) =>
    code(text)
      .split("\n")
      .filter((line) => line.trim() !== "").length;
  assert.deepEqual(
    offenders(sources, ({ text }) => lines(text) > 400),
    [],
  );
});

test("nothing is named utils, common, helpers, shared or lib", () => {
  const named = ({ path }: (typeof own)[number]) => /(^|\/)(utils?|common|helpers?|shared|lib)(\/|\.ts$)/.test(path);
  assert.deepEqual(offenders(sources, named), []);
});

test("process is touched only where a program begins", () => {
  // …-process.ts: a program that a test starts in order to kill it.
  const begins = /^(packages\/(testkit|cli)\/|.*\/scripts\/|.*-process\.ts$)/;
  const others = own.filter(({ path }) => basename(path) !== "main.ts" && !begins.test(path));
  assert.deepEqual(
    offenders(others, ({ text }) => /(?<![-.\w"])process\.|"node:process"/.test(code(text))),
    [],
  );
});
