// Where a password or a key comes from: a file, the environment, a question; a password by an argument too, which other users can list.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { UsageError } from "./failure.ts";

/** What was given beforehand: `--password`, `--password-file` (its first line), PARLEY_PASSWORD. */
export function givenPassword(
  { password, passwordFile }: { password?: string; passwordFile?: string },
  env: NodeJS.ProcessEnv = process.env,
): string | undefined {
  if (password !== undefined && passwordFile !== undefined)
    throw new UsageError("--password or --password-file, not both");
  return password ?? (passwordFile === undefined ? env.PARLEY_PASSWORD : firstLineOf("--password-file", passwordFile));
}

/** A server key: the first line of `--key-file`, or PARLEY_SERVER_KEY. Throws a UsageError. */
export function serverKeyOf({ keyFile }: { keyFile?: string }, env: NodeJS.ProcessEnv = process.env): string {
  const key = keyFile === undefined ? env.PARLEY_SERVER_KEY : firstLineOf("--key-file", keyFile);
  if (key) return key;
  throw new UsageError("a server key is needed: --key-file or PARLEY_SERVER_KEY");
}

/** Of a file that holds a secret. Throws a UsageError. */
export function firstLineOf(flag: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${flag} ${file} cannot be read: ${(error as Error).message}`);
  }
  const [line = ""] = text.split(/\r?\n/);
  if (line === "") throw new UsageError(`${flag} ${file}: its first line is empty`);
  return line;
}

/** Asks: unseen on a terminal, the first line of stdin in a pipe. */
export async function askPassword(question: string): Promise<string> {
  const { stdin, stderr } = process;
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  // First, since it ends the terminal's echo: who is quick may answer as soon as there is a question.
  const lines = createInterface({ input: stdin, output: unseen, terminal: stdin.isTTY });
  if (stdin.isTTY) stderr.write(question);
  try {
    const line = await new Promise<string>((resolve) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(""));
    });
    if (line !== "") return line;
    throw new UsageError("a password is needed: --password-file, PARLEY_PASSWORD, or the first line of stdin");
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write("\n");
  }
}
