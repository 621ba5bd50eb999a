// Two of every service, and the faults that only then exist.
import { describe, test } from "node:test";
import { routerFromHistory } from "./faults/catalogue.ts";
import { both } from "./faults/fault.ts";
import { freezePastLease, kill, restart } from "./faults/processes.ts";
import { brokerWithoutSessions, brokerWithSessions, streamsDeleted, twoHolders } from "./faults/servers.ts";
import { twoOfEvery } from "./two-of-every.ts";

describe("with two of every service", () => {
  const { survives } = twoOfEvery();

  test("1. nothing acknowledged is lost when the broker and JetStream lose their data, or NATS the answer of history", (t) =>
    survives(t, brokerWithSessions, streamsDeleted, routerFromHistory));

  test("3. seq has no gaps and is never used twice with two holders at once, and with one that wakes up past its lease", (t) =>
    survives(
      t,
      both(twoHolders("history"), twoHolders("router")),
      both(freezePastLease("history"), freezePastLease("router")),
    ));

  test("4. every member device gets each message, and the SDK shows it once and in order, though the broker forgets all sessions", (t) =>
    survives(t, brokerWithoutSessions, kill("edge")));

  test("7. a member removed in mid-stream gets nothing stored after it and all that was before, while holders change", (t) =>
    survives(t, restart("history"), kill("router"), kill("history"), restart("router")));
});
