// Test files in fewer files: of its sources one that needs a service loads 1,500 modules, and starts with twice the CPU.
import { join } from "node:path";
import { bundleOnce } from "../programs/bundle-once.ts";
import { root } from "../programs/programs.ts";

const place = join(root, ".tools/bundles-of-tests");
const madeOf = ["{packages,services}/*/{src,test}/**/*.{ts,json}", "test/**/*.{ts,json}"];

/** Answers where to find the bundle of each of these, which are all test files; paths are from the project's folder. */
export async function bundleTests(files: readonly string[]): Promise<(file: string) => string> {
  const folder = await bundleOnce(place, files, madeOf, { sourceMaps: true });
  return (file) => join(folder, file.replace(/\.ts$/, ".js"));
}
