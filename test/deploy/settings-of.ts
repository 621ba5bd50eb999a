// The settings of each service by its name, as deployments name services.
import type { Settings } from "@parley/runtime";
import { settings as api } from "../../services/api/src/config.ts";
import { settings as authWebhook } from "../../services/auth-webhook/src/config.ts";
import { settings as edge } from "../../services/edge/src/config.ts";
import { settings as history } from "../../services/history/src/config.ts";
import { settings as presence } from "../../services/presence/src/config.ts";
import { settings as push } from "../../services/push/src/config.ts";
import { settings as router } from "../../services/router/src/config.ts";
import { settings as search } from "../../services/search/src/config.ts";

/** Of every service, in the order of docs/operations.md. */
export const allSettings = [
  edge,
  authWebhook,
  router,
  history,
  presence,
  search,
  push,
  api,
] as unknown as readonly Settings[];

export const serviceNames = allSettings.map(({ service }) => service);

/** The settings of a service, or undefined where there is no such service. */
export function settingsOf(service: string): Settings | undefined {
  return allSettings.find((one) => one.service === service);
}

/** The settings of the ports that a service listens on; API_MQTT_PORT is told to devices. */
export function portKeysOf({ prefix, properties }: Settings): string[] {
  return Object.keys(properties).filter(
    (key) => key.startsWith(`${prefix}_`) && key.endsWith("_PORT") && key !== "API_MQTT_PORT",
  );
}

/** The ports that a service with this environment listens on, by their settings. */
export function listenedPorts(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, number> {
  const { properties } = settings as { properties: Record<string, { default?: unknown }> };
  return Object.fromEntries(portKeysOf(settings).map((key) => [key, Number(env[key] ?? properties[key]?.default)]));
}
