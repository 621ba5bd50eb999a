// Asks now and then whether the broker takes our login and a hook answers: what readiness stands on.
import type { Health } from "@parley/runtime";
import { type Broker, probeBroker } from "./broker.ts";
import type { Hooks } from "./hooks.ts";
import { publishQuestion } from "./questions.ts";

const everyMs = 1000;
const freshMs = 5000;

/** `clientId` is one of the services' own, which no device may have. */
export function startProbe({
  health,
  broker,
  hooks,
  clientId,
}: {
  health: Health;
  broker: Broker;
  hooks: Hooks;
  clientId: string;
}): { close(): void } {
  let brokerAnsweredAt = 0;
  let hookAnsweredAt = 0;
  let closed = false;
  health.check("broker", () => isFresh(brokerAnsweredAt) || "the broker does not take the services' login");
  health.check("hooks", () => isFresh(hookAnsweredAt) || "auth-webhook does not answer");

  async function probe(): Promise<void> {
    const [taken, answer] = await Promise.all([
      probeBroker(broker, clientId),
      hooks.ask("auth_on_publish", nobodysQuestion(clientId)),
    ]);
    if (taken) brokerAnsweredAt = Date.now();
    if (answer.verdict !== "failed") hookAnsweredAt = Date.now();
    if (!closed) timer = setTimeout(() => void probe(), everyMs);
  }

  let timer = setTimeout(() => void probe(), 0);
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function isFresh(at: number): boolean {
  return Date.now() - at < freshMs;
}

/** Any well-formed answer will do; this one is no. */
function nobodysQuestion(clientId: string): object {
  const publication = { topic: "probe", qos: 0, retain: false, payload: Buffer.alloc(0) };
  return publishQuestion({ username: null, clientId }, publication, 4);
}
