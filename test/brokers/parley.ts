// `parley broker` as an operator starts it: a process of its own, with secrets in files; and its setup within the test.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programOf, type TestContext } from "@parley/testkit";
import { openAdminApi } from "../../packages/cli/src/broker/setup/admin-api.ts";
import type { BrokerSetup } from "../../packages/cli/src/broker/setup/finding.ts";
import { runSetup } from "../../packages/cli/src/broker/setup/run-setup.ts";
import { describeFailure, exitCodeOf } from "../../packages/cli/src/failure.ts";

export const hookSecret = "hook-secret-of-a-test-0123456789abcdef";

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

const program = programOf("packages/cli/src/main.ts");

export async function runBroker(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [program, "broker", ...args], { env: { PATH, NODE_COMPILE_CACHE, ...env } });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, err };
}

/** A file with one line, gone when the test ends. */
export async function secretFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-broker-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "secret");
  await writeFile(file, `${text}\n`, { mode: 0o600 });
  return file;
}

/** The setup alone, without a process: what it says, and the exit code that it would end with. */
export async function setUpHere(broker: BrokerSetup, checkOnly: boolean): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  const output = {
    json: false,
    result: (_: unknown, text: string) => void out.push(text),
    note: (text: string) => void err.push(text),
    style: (_: unknown, text: string) => text,
  };
  const code = await runSetup(broker, { checkOnly, output }).then(
    () => 0,
    (error: unknown) => {
      err.push(describeFailure(error, false));
      return exitCodeOf(error);
    },
  );
  return { code, out: out.join("\n"), err: err.join("\n") };
}

export function adminApi(url: string, title: string, credential: string): ReturnType<typeof openAdminApi> {
  const authorization = `Basic ${Buffer.from(credential).toString("base64")}`;
  return openAdminApi({ url, authorization, keyName: "--key-file", title });
}
