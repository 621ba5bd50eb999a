// A local provider in a process of its own, so that figures are of who sends to it.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "../testing/start-servers.ts";
import type { Asked, Figures } from "./serve.ts";
import type { Subscription } from "./web-push.ts";

export interface ProviderApart {
  /** The settings of push with which it sends to this server. */
  settings: Record<string, string>;
  figures(): Promise<Figures>;
  /** A subscription of a local push service. */
  subscribe(): Promise<Subscription>;
}

/** Ends with the test, or with this process. */
export async function startProviderApart(t: TestContext, kind: "apns" | "fcm" | "webpush"): Promise<ProviderApart> {
  // In a session of its own, so that it yields to all of the others.
  const child = fork(join(import.meta.dirname, "serve.ts"), [kind], { execArgv: [], detached: true });
  const waiting = new Map<number, (answer: unknown) => void>();
  let asked = 0;
  child.on("message", ({ id, answer }: { id: number; answer: unknown }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  const gone = once(child, "exit");
  t.after(async () => {
    if (child.connected) child.disconnect();
    await gone;
  });
  const dead = gone.then(([code]) => Promise.reject(new Error(`the local ${kind} ended with ${code}`)));
  dead.catch(() => undefined);
  const ask = async <Answer>(what: Asked["what"]): Promise<Answer> => {
    const answered = new Promise<unknown>((resolve) => waiting.set(++asked, resolve));
    child.send({ id: asked, what } satisfies Asked);
    return (await Promise.race([answered, dead])) as Answer;
  };
  return {
    settings: await ask("settings"),
    figures: () => ask("figures"),
    subscribe: () => ask("subscribe"),
  };
}
