// Programs in few files: one process of Parley loads about 1,500 modules, most of them of libraries, and of a bundle a dozen.
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
import { build, type Plugin, version } from "esbuild";
import { bundlesFolder, programs, root } from "./programs.ts";

// These look for files of their own: binaries, or pages.
const unbundled = /^(@node-rs\/argon2|@fastify\/swagger-ui|sharp)$/;
/** of sources before: a folder may still be in use by a system that runs */
const keptFolders = 5;

/**
 * Makes a bundle of each program, where the sources have changed since the last ones were made, and has `programOf` find it, here
 * and in the processes that this one starts. Answers why it could not: then programs start from their sources.
 */
export async function bundlePrograms(): Promise<string | undefined> {
  if (process.env.PARLEY_BUNDLES !== undefined) return undefined;
  const folder = join(bundlesFolder, keyOf());
  try {
    const now = new Date();
    if (existsSync(folder)) utimesSync(folder, now, now);
    else await make(folder);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  process.env.PARLEY_BUNDLES = folder;
  return undefined;
}

async function make(folder: string): Promise<void> {
  const aside = `${folder}.${process.pid}`;
  try {
    mkdirSync(aside, { recursive: true });
    await bundle(aside);
    renameSync(aside, folder);
  } catch (error) {
    // Another process was first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  removeOld();
}

async function bundle(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [...programs],
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

// Sources that start others beside them find those where they are.
const ownPlaces: Plugin = {
  name: "own-places",
  setup({ onLoad }) {
    onLoad({ filter: /\/(packages|services)\/[^/]+\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes("import.meta")) return undefined;
      const contents = text
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)));
      return { contents, loader: "ts" };
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

function removeOld(): void {
  const folders = readdirSync(bundlesFolder).map((name) => join(bundlesFolder, name));
  const latestFirst = folders.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of latestFirst.slice(keptFolders)) rmSync(folder, { recursive: true, force: true });
}

/** Of everything that goes into them. */
function keyOf(): string {
  const hash = createHash("sha256").update(`${version} ${process.version} ${root}`);
  const sources = globSync("{packages,services}/*/src/**/*.ts", { cwd: root, exclude: ["**/node_modules/**"] });
  for (const file of ["pnpm-lock.yaml", ...sources.sort()])
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}
