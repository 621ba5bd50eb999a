// One program of an installation, run to its end.
import { spawn } from "node:child_process";

export interface Step {
  program: string;
  args: string[];
}

const timeoutMs = 600_000;

/** Throws with the end of what it said. */
export async function runStep({ program, args }: Step): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2_000);
    });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${program} ${args[0] ?? ""} ended with ${code}: ${said.trim()}`);
}
