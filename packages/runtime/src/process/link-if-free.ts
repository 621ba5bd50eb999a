// A file under a name that nobody has yet: made or refused as a whole, so nobody ever reads half of it.
import { linkSync } from "node:fs";

/** Gives the file a second name; false when that is taken. Throws what else `linkSync` throws. */
export function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
