// Folders and files that only their owner reads: settings hold passwords.
import { chmod, mkdir, writeFile } from "node:fs/promises";

/** Also where an earlier Parley made it for everybody to read. */
export async function makePrivate(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o700);
}

export async function writePrivate(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}
