// A replica in a process of its own, to be killed and paused.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually, type TestContext } from "@parley/testkit";

interface Line {
  acquired?: string;
  released?: string;
  reason?: string;
  fresh?: boolean;
}

/** Starts it; `held` follows what it prints. */
export async function startHolder(t: TestContext, url: string, instance: string, count: number) {
  const program = fileURLToPath(import.meta.resolve("./lease-holder.ts"));
  const child = spawn(process.execPath, [program, url, instance, `${count}`], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const lines: Line[] = [];
  const held = new Set<string>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (line.acquired !== undefined) held.add(line.acquired);
    if (line.released !== undefined) held.delete(line.released);
  });
  return {
    held,
    lines,
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    async isFirstFresh(): Promise<boolean> {
      const answers = () => lines.filter(({ fresh }) => fresh !== undefined);
      const before = answers().length;
      child.stdin.write("?");
      return (await eventually(() => answers()[before])).fresh ?? false;
    },
  };
}
