// The two programs of the chatroom, run as people run them.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { eventually, type TestContext } from "@parley/testkit";

export interface Started {
  /** what it printed */
  lines: string[];
  type(line: string): void;
  /** Nobody says goodbye: the broker sends its Last Will. */
  kill(): void;
  prints(line: string): Promise<void>;
}

export interface Login {
  topic: string;
  user: string;
  password: string;
  /** what it calls itself; without it the user name */
  name?: string;
}

/** Programs with one version of paho, on one broker. */
export function programsOf(t: TestContext, python: string, host: string) {
  function start(program: string, { topic, user, password, name = user }: Login): Started {
    const args = ["-W", "ignore", join(import.meta.dirname, program), host, topic, user, password, name];
    const child = spawn(python, args, {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONIOENCODING: "utf-8" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    child.stdin.on("error", () => {});
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    return {
      lines,
      type: (line) => void child.stdin.write(`${line}\n`),
      kill: () => void child.kill("SIGKILL"),
      prints: async (line) => {
        await eventually(() => lines.includes(line) || undefined).catch(() => {
          throw new Error(`${program} ${topic} printed ${JSON.stringify(lines)}, not ${JSON.stringify(line)}`);
        });
      },
    };
  }
  return {
    async listen(login: Login): Promise<Started> {
      const started = start("listener.py", login);
      await started.prints("subscribed");
      return started;
    },
    async publisher(login: Login): Promise<Started> {
      const started = start("publisher.py", login);
      await started.prints("connected");
      return started;
    },
    start,
  };
}
