// Asks now and then whether the broker takes a login and a publish and a hook answers: what readiness stands on.
import { type Health, type Logger, sayWaiting, type Waiting } from "@parley/runtime";
import type { Hooks } from "../hooks/hooks.ts";
import { publishQuestion } from "../hooks/questions.ts";
import { type Broker, type BrokerState, probeBroker } from "./broker.ts";
import type { Records } from "./records.ts";

const everyMs = 1000;
const freshMs = 5000;

/** `clientId` is one of the services' own, which no device may have. */
export function startProbe({
  health,
  broker,
  hooks,
  clientId,
  addresses,
  records,
  onState,
  log,
}: {
  health: Health;
  broker: Broker;
  hooks: Hooks;
  clientId: string;
  /** as the settings name them, for the log */
  addresses: { broker: string; hooks: string };
  /** what changed of them goes with a probe */
  records: Records;
  onState(state: BrokerState): void;
  log: Logger;
}): { close(): void } {
  let closed = false;
  const brokerFault =
    "the broker takes no login and publish of a service: is services-secret of PARLEY_SECRETS the one that it was started with?";
  let hookFault = "auth-webhook does not answer";
  const brokerWatch = watch(log, "broker", addresses.broker, () => brokerFault);
  const hookWatch = watch(log, "auth-webhook", addresses.hooks, () => hookFault);
  health.check("broker", () => brokerWatch.isFresh() || brokerFault);
  health.check("hooks", () => hookWatch.isFresh() || hookFault);

  async function probe(): Promise<void> {
    const { packets, written } = records.changes();
    const [state, answer] = await Promise.all([
      probeBroker(broker, clientId, packets),
      hooks.ask("auth_on_publish", nobodysQuestion(clientId)),
    ]);
    if (closed) return;
    brokerWatch.asked(state !== undefined);
    if (state !== undefined) {
      written();
      onState(state);
    }
    if (answer.verdict === "failed") hookFault = `auth-webhook does not answer: ${answer.error}`;
    hookWatch.asked(answer.verdict !== "failed");
    timer = setTimeout(() => void probe(), everyMs);
  }

  let timer = setTimeout(() => void probe(), 0);
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      brokerWatch.close();
      hookWatch.close();
    },
  };
}

/** When something answered last; the log says while it does not. */
function watch(log: Logger, what: string, address: string, fault: () => string) {
  let answeredAt = Number.NEGATIVE_INFINITY;
  let waiting: Waiting | undefined;
  const isFresh = () => performance.now() - answeredAt < freshMs;
  return {
    isFresh,
    asked(answered: boolean): void {
      if (answered) {
        answeredAt = performance.now();
        waiting?.done();
        waiting = undefined;
      } else if (!isFresh()) waiting ??= sayWaiting(log, what, address, fault);
    },
    close: () => waiting?.cancel(),
  };
}

/** Any well-formed answer will do; this one is no. */
function nobodysQuestion(clientId: string): object {
  const publication = { topic: "probe", qos: 0, retain: false, payload: Buffer.alloc(0) };
  return publishQuestion({ username: null, clientId }, publication, 4);
}
