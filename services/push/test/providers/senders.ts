// Clients of local providers for one test, made from settings as the service makes them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { createLogger, defineSettings, readConfig } from "@parley/runtime";
import type { WebPush } from "@parley/testkit";
import webPush from "web-push";
import type { ApnsNotification, FcmNotification, Outcome, WebPushNotification } from "../../src/providers/outgoing.ts";
import { providerSettings } from "../../src/providers/settings.ts";
import { type Senders, startSenders } from "../../src/start-senders.ts";

const settings = defineSettings({ service: "push", prefix: "PUSH", own: providerSettings });

export const vapid = webPush.generateVAPIDKeys();

/** A deadline that tests can wait for. */
export const soon = { PUSH_DEADLINE_MS: "2000" };

export interface TestSenders extends Required<Senders> {
  /** lines of the log */
  lines: Record<string, unknown>[];
}

/** They close with the test. Of a provider without settings there is none. */
export function sendersOf(t: Pick<TestContext, "after">, env: Record<string, string>): TestSenders {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLogger({ service: "push", destination });
  const senders = startSenders(readConfig(settings, env), { log, vapid });
  t.after(() => Promise.all(Object.values(senders).map((sender) => sender.close())));
  return { ...(senders as Required<Senders>), lines };
}

/** A device token, another one each time unless said. */
export function deviceToken(of = randomUUID()): string {
  return Buffer.from(of).toString("hex").padEnd(64, "0").slice(0, 64);
}

export function alert(changes: Partial<ApnsNotification> = {}): ApnsNotification {
  return {
    provider: "apns",
    token: deviceToken(),
    topic: "app.parley",
    sandbox: false,
    pushType: "alert",
    priority: 10,
    collapseId: "p2p/alice/bob",
    expiresAt: Math.floor(Date.now() / 1000) + 3600,
    id: randomUUID(),
    payload: { aps: { alert: { title: "Alice", body: "hello 👋" }, badge: 3 } },
    ...changes,
  };
}

export function fcmMessage(changes: Partial<FcmNotification> = {}): FcmNotification {
  const message = { notification: { title: "Alice", body: "hello 👋" }, android: { priority: "high", ttl: 3_600_000 } };
  return { provider: "fcm", token: `token-${randomUUID()}`, message, ...changes };
}

/** To a new subscription of this push service. */
export function webMessage(service: WebPush, changes: Partial<WebPushNotification> = {}): WebPushNotification {
  const payload = JSON.stringify({ title: "Alice", body: "hello 👋" });
  return { provider: "webpush", ...service.subscribe(), payload, ttl: 3600, urgency: "normal", ...changes };
}

/** What it is, and that its reason can be read by an operator. */
export function assertOutcome(outcome: Outcome, expected: Partial<Outcome>, reason?: RegExp): void {
  const { reason: said, ...rest } = outcome as { reason?: string };
  assert.deepEqual(rest, expected, said);
  if (reason) assert.match(said ?? "", reason);
}
