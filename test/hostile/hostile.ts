// A user who means harm, with logins of its own, in a process of its own beside the honest ones.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Blows, noBlows, type Session, type Target } from "./orders.ts";

export interface Hostile {
  /** Ends every attack; answers what was done. */
  end(): Promise<Blows>;
}

export interface HostileOptions extends Omit<Target, "sessions"> {
  /** a login of the hostile user's own, for a device of this name */
  login(device: string): Promise<Session>;
}

const devices = ["flood", "poison", "large", "away", "loud"] as const;
const endWaitMs = 5_000;

export async function startHostile({ login, ...about }: HostileOptions): Promise<Hostile> {
  const logins = await Promise.all(devices.map(async (name) => [name, await login(name)] as const));
  const target: Target = { ...about, sessions: Object.fromEntries(logins) as Target["sessions"] };
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
