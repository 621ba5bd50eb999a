// The command line as a user starts it: a process of its own, with a home of its own.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Cluster, programOf, type TestContext } from "@parley/testkit";
import { password } from "./people.ts";

const program = programOf("packages/cli/src/main.ts");

export interface Running {
  child: ChildProcessWithoutNullStreams;
  out(): string;
  err(): string;
  lines(): string[];
  exit: Promise<number | null>;
}

export interface Shell {
  cluster: Cluster;
  /** where it keeps its logins */
  home: string;
  env?: Record<string, string> | undefined;
}

/** A parley with its stdin open; ended when the test ends. */
export function startParley(t: TestContext, shell: Shell, args: string[]): Running {
  const { cluster, home, env = { PARLEY_PASSWORD: password } } = shell;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const base = { PATH, NODE_COMPILE_CACHE, HOME: home, PARLEY_URL: cluster.run().http, PARLEY_DIR: cluster.dir };
  const child = spawn(process.execPath, [program, ...args], { env: { ...base, ...env }, cwd: home });
  t.after(() => child.kill("SIGKILL"));
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, out: () => out, err: () => err, lines: () => out.split("\n").slice(0, -1), exit };
}

/** A parley that ends by itself. */
export async function runParley(
  t: TestContext,
  shell: Shell,
  args: string[],
  stdin = "",
): Promise<{ code: number | null; out: string; err: string }> {
  const { child, out, err, exit } = startParley(t, shell, args);
  child.stdin.end(stdin);
  return { code: await exit, out: out(), err: err() };
}
