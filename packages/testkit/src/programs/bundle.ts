// Bundles of the programs: a process of Parley loads about 1,500 modules, most of them of libraries, and of its bundle a dozen.
import { bundleOnce } from "./bundle-once.ts";
import { bundlesFolder, programs } from "./programs.ts";

/**
 * Makes a bundle of each program, where the sources have changed since the last ones were made, and has `programOf` find it, here
 * and in the processes that this one starts. Answers why it could not: then programs start from their sources.
 */
export async function bundlePrograms(): Promise<string | undefined> {
  if (process.env.PARLEY_BUNDLES !== undefined) return undefined;
  try {
    process.env.PARLEY_BUNDLES = await bundleOnce(bundlesFolder, programs, ["{packages,services}/*/src/**/*.ts"]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
