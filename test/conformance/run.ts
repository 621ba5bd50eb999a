// The suite's cases against a system, and why none could be asked.
import { type Endpoint, knock } from "@parley/cli/broker-check/device";
import { type Row, runCases as runAll } from "@parley/cli/broker-check/run-cases";
import { callHttp } from "@parley/client";
import { AppError, usersAccount } from "@parley/protocol";
import { type BrokerName, isPromised } from "./brokers.ts";
import type { Case } from "./case.ts";
import { openWorld, type System } from "./world.ts";

const patienceMs = 5_000;

interface Run {
  system: System;
  broker: BrokerName;
  endpoints: readonly Endpoint[];
  cases: readonly Case[];
  /** Told of each case as it is done. */
  onRow?(row: Row): void;
}

export async function runCases({ system, broker, ...run }: Run): Promise<Row[]> {
  return runAll({
    ...run,
    open: (endpoint, name) => openWorld(system, endpoint, name),
    leftOut(one) {
      if (!isPromised(one, broker)) return "not promised there";
      return one.needsGuest && !system.guest ? "no --guest" : undefined;
    },
  });
}

/** Why nothing can be asked of the system: one sentence, or undefined. */
export async function whyNot({ api, key }: System, urls: readonly string[]): Promise<string | undefined> {
  const asked = await callHttp(api, usersAccount, { uid: "nobody-of-the-cases" }, { token: key }).catch(AppError.from);
  if (asked instanceof AppError && asked.code === "unavailable") return `--api ${api}: ${asked.message}`;
  if (asked instanceof AppError && ["unauthenticated", "forbidden"].includes(asked.code))
    return `--key-file: ${api} does not take this key (${asked.message})`;
  for (const url of urls) {
    const answer = await knock(url, patienceMs);
    if (answer === "let in") return `--url ${url}: it lets in who has no account: the broker does not ask auth-webhook`;
    if (typeof answer === "object")
      return `--url ${url}: it does not speak MQTT${answer.silent && `: ${answer.silent}`}`;
  }
  return undefined;
}
