// Asks for a password: unseen on a terminal, the first line of stdin in a pipe.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { UsageError } from "./failure.ts";

export async function askPassword(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: unseen, terminal: stdin.isTTY });
  try {
    const line = await new Promise<string>((resolve) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(""));
    });
    if (line !== "") return line;
    throw new UsageError("a password is needed: --password, PARLEY_PASSWORD, or the first line of stdin");
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write("\n");
  }
}
