// What push's own client of a provider reaches with nothing around it: the baseline of a whole push.
import { createLogger, defineSettings, readConfig } from "@parley/runtime";
import type { ProviderApart } from "@parley/testkit";
import type { Outgoing, Sender } from "../../../services/push/src/providers/outgoing.ts";
import { providerSettings } from "../../../services/push/src/providers/settings.ts";
import { startSenders } from "../../../services/push/src/start-senders.ts";
import type { MeasuredProvider } from "./holders.ts";

const log = createLogger({ service: "bench", level: "error" });
const settings = defineSettings({ service: "push", prefix: "PUSH", own: providerSettings });
const noKeys = { publicKey: "", privateKey: "" };
const text = "x".repeat(100);

/** Notifications a second, as many at a time as the client takes. Throws when one is not sent. */
export async function clientAlone(
  provider: MeasuredProvider,
  apart: ProviderApart,
  { count, warmup }: { count: number; warmup: number },
): Promise<number> {
  const config = readConfig(settings, apart.settings);
  const sender = startSenders(config, { log, vapid: noKeys })[provider] as Sender<Outgoing> | undefined;
  if (sender === undefined) throw new Error(`the local ${provider} gave no settings`);
  const atOnce = provider === "apns" ? config.PUSH_APNS_IN_FLIGHT : config.PUSH_FCM_IN_FLIGHT;
  const sendAll = async (most: number) => {
    let next = 0;
    const sendOn = async () => {
      while (next < most) {
        const outcome = await sender.send(notification(provider, next++));
        if (outcome.is !== "sent") throw new Error(`the local ${provider} answered ${JSON.stringify(outcome)}`);
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: atOnce }, sendOn));
    return (most * 1_000) / (performance.now() - startedAt);
  };
  try {
    await sendAll(warmup);
    return await sendAll(count);
  } finally {
    await sender.close();
  }
}

function notification(provider: MeasuredProvider, index: number): Outgoing {
  const data = { kind: "message", conv: "room/bench1", tag: `bench-${index % 1_000}`, id: String(index) };
  if (provider === "fcm") {
    const android = { priority: "high", ttl: 3_600_000, notification: { tag: data.tag } };
    const message = { notification: { title: "bench", body: text }, data, android };
    return { provider, token: `installation-${index}`, message };
  }
  return {
    provider,
    token: index.toString(16).padStart(64, "0"),
    topic: "app.parley",
    sandbox: false,
    pushType: "alert",
    priority: 10,
    collapseId: data.tag,
    expiresAt: Math.floor(Date.now() / 1_000) + 3_600,
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    payload: { aps: { alert: { title: "bench", body: text }, badge: 1, "thread-id": data.tag }, ...data },
  };
}
