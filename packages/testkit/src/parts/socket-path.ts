// Unix sockets of one machine's servers and services.
import { join, resolve } from "node:path";

/** bytes of a socket's path: macOS has room for 103, Linux for 107 */
const socketPathMax = 103;

/** undefined: the folder's path is too long for a socket in it. */
export function socketPathIn(dir: string, name: string): string | undefined {
  const path = join(resolve(dir), name);
  return Buffer.byteLength(path) > socketPathMax ? undefined : path;
}
