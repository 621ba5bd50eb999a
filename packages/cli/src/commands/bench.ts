// parley bench: the load program of the repository this parley stands in.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";

const programPath = fileURLToPath(new URL("../../../../test/load/main.ts", import.meta.url));

export function benchCommand(): Command {
  return new Command("bench")
    .description("Measure throughput and latency on real servers of this machine (bench --help: its own options).")
    .helpOption(false)
    .allowUnknownOption()
    .argument("[options...]", "passed on to the load program")
    .action(async (args: string[]) => {
      if (!existsSync(programPath)) throw new Error("bench runs from a checkout of Parley; this is none");
      const child = spawn(process.execPath, [programPath, ...args], { stdio: "inherit" });
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", resolve);
      });
      if (code !== 0) throw new Error(`the load program ended with ${code ?? "a signal"}`);
    });
}
