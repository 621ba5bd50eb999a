// Sources and the libraries that they use in few files, made once of the same sources and kept.
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { root } from "./programs.ts";

// These look for files of their own: binaries, or pages.
const unbundled = /^(@node-rs\/argon2|@fastify\/swagger-ui|@seriousme\/openapi-schema-validator|sharp|esbuild)$/;
/** of sources before: a folder may still be in use by a system that runs */
const keptFolders = 5;

/**
 * Answers the folder, in `place`, of the bundles of these files, each under its own path with `.js`. They are made anew where a file of
 * the patterns `madeOf` has changed. Paths and patterns are from the project's folder. Throws what esbuild throws.
 */
export async function bundleOnce(
  place: string,
  files: readonly string[],
  madeOf: readonly string[],
  { sourceMaps = false } = {},
): Promise<string> {
  const folder = join(place, keyOf(madeOf));
  const now = new Date();
  if (existsSync(folder)) utimesSync(folder, now, now);
  else await make(folder, files, sourceMaps);
  return folder;
}

async function make(folder: string, files: readonly string[], sourceMaps: boolean): Promise<void> {
  const aside = `${folder}.${process.pid}`;
  try {
    mkdirSync(aside, { recursive: true });
    await bundle(aside, files, sourceMaps);
    renameSync(aside, folder);
  } catch (error) {
    // Another process was first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  removeOld(dirname(folder));
}

async function bundle(outdir: string, files: readonly string[], sourceMaps: boolean): Promise<void> {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: [...files],
    outbase: root,
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    // Errors are told apart by their names.
    keepNames: true,
    legalComments: "none",
    logLevel: "silent",
    sourcemap: sourceMaps && "linked",
    sourcesContent: false,
    // Libraries that are CommonJS ask for Node's modules so.
    banner: {
      js: 'import { createRequire as __requireOf } from "node:module"; const require = __requireOf(import.meta.url);',
    },
    plugins: [foundWhereTheyAre, ownPlaces, httpByItself],
  });
}

const foundWhereTheyAre: Plugin = {
  name: "found-where-they-are",
  setup({ onResolve }) {
    onResolve({ filter: unbundled }, ({ path, importer }) => {
      const file = createRequire(importer).resolve(path);
      return { path: pathToFileURL(file).href, external: true };
    });
  },
};

// Sources that start others beside them find those where they are. Not where it is a text.
const placeOfOwn = /(?<!["'])import\.meta\.(url|dirname|filename|resolve)\b(?!["'])/g;
const ownPlaces: Plugin = {
  name: "own-places",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes("import.meta")) return undefined;
      const url = JSON.stringify(pathToFileURL(path).href);
      const own: Record<string, string> = {
        url,
        dirname: JSON.stringify(dirname(path)),
        filename: JSON.stringify(path),
        resolve: `((to) => new URL(to, ${url}).href)`,
      };
      return { contents: text.replaceAll(placeOfOwn, (_, what: string) => own[what] as string), loader: "ts" };
    });
  },
};

// Imported as a module, Node's http loads its WebSocket too, and by it all of undici: a tenth of the CPU of a start.
const httpByItself: Plugin = {
  name: "http-by-itself",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, () => ({ path: "node:http", namespace: "http-by-itself" }));
    onLoad({ filter: /^/, namespace: "http-by-itself" }, () => ({
      contents: 'module.exports = process.getBuiltinModule("node:http")',
    }));
  },
};

function removeOld(place: string): void {
  const folders = readdirSync(place).map((name) => join(place, name));
  const latestFirst = folders.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of latestFirst.slice(keptFolders)) rmSync(folder, { recursive: true, force: true });
}

/** Of everything that goes into them; the lockfile says with which esbuild. */
function keyOf(madeOf: readonly string[]): string {
  const hash = createHash("sha256").update(`${process.version} ${root}`);
  const sources = globSync([...madeOf], { cwd: root, exclude: ["**/node_modules/**"] });
  for (const file of ["pnpm-lock.yaml", ...sources.sort()])
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}
