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

const all = [api, authWebhook, edge, history, presence, push, router, search] as unknown as Settings[];

/** Every service that has settings of its own. */
export const serviceNames = all.map(({ service }) => service);

/** The settings of a service, or undefined where there is no such service. */
export function settingsOf(service: string): Settings | undefined {
  return all.find((one) => one.service === service);
}
