// A user who means harm, with logins of its own, in a process of its own beside the honest workload.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { People } from "../workload/people.ts";
import { type Blows, noBlows, type Target } from "./orders.ts";

export interface Hostile {
  /** Ends every attack; answers what was done. */
  end(): Promise<Blows>;
}

const devices = ["flood", "poison", "large", "away", "loud"] as const;
const endWaitMs = 5_000;

/** `uid` is one of `people` with whom no honest device talks; `victim` is an honest one. */
export async function startHostile(http: string, people: People, uid: string, victim: string): Promise<Hostile> {
  const logins = await Promise.all(devices.map(async (name) => [name, await people.login(uid, name)] as const));
  const target: Target = { http, victim, sessions: Object.fromEntries(logins) as Target["sessions"] };
  const child = fork(join(import.meta.dirname, "main.ts"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const exited = once(child, "exit");
  child.send(target);
  return {
    async end() {
      const told = once(child, "message", { signal: AbortSignal.timeout(endWaitMs) }).catch(() => [noBlows]);
      if (child.connected) child.send("end");
      const [blows] = (await Promise.race([told, exited.then(() => [noBlows])])) as [Blows];
      child.kill("SIGKILL");
      await exited;
      return blows;
    },
  };
}
