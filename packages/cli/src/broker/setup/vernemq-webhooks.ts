// VerneMQ's webhooks: each hook of the file at auth-webhook's address, and no other address for it.
import type { ConfSetting } from "../settings/vernemq-conf.ts";
import type { AdminApi } from "./admin-api.ts";
import type { Finding, SetupTarget, Step } from "./finding.ts";
import { command, tableOf } from "./vernemq-api.ts";

interface Webhook {
  hook: string;
  endpoint: string;
  noPayload: boolean;
  why: string;
}

export function lookAtWebhooks(
  api: AdminApi,
  settings: readonly ConfSetting[],
  target: SetupTarget,
): { inspect(): Promise<Finding[]>; steps(): Step[] } {
  const wanted = webhooksOf(settings, target);
  // The secret is in the address.
  const shown = (endpoint: string) => endpoint.replaceAll(target.hookSecret, "…");
  let steps: Step[] = [];
  return {
    async inspect() {
      const rows = await registered(api);
      steps = [];
      return wanted.flatMap((one) => {
        const there = rows.filter(({ hook }) => hook === one.hook).map(({ endpoint }) => String(endpoint));
        const isThere = there.includes(one.endpoint);
        const others = there.filter((endpoint) => endpoint !== one.endpoint);
        const outdated = others.filter((endpoint) => endpoint.startsWith(`${target.hooks}/vernemq/`));
        steps.push(...outdated.map((endpoint) => deregister(api, one.hook, endpoint)));
        if (!isThere) steps.push(register(api, one, shown(one.endpoint)));
        return findingsOf(one, { isThere, outdated, foreign: others.filter((other) => !outdated.includes(other)) });
      });
    },
    steps: () => steps,
  };
}

/** Without the plugin there is no such command. */
async function registered(api: AdminApi): Promise<Record<string, unknown>[]> {
  const on = (await tableOf(api, "plugin/show")).some(({ Plugin }) => Plugin === "vmq_webhooks");
  return on ? tableOf(api, "webhooks/show") : [];
}

/** The file names two files with addresses; which of them stands in its name. */
function webhooksOf(settings: readonly ConfSetting[], { hooks, hookSecret }: SetupTarget): Webhook[] {
  const settingOf = (name: string) => settings.find((one) => one.name === name)?.value ?? "";
  return settings.flatMap(({ name, value, why }) => {
    const [, key] = /^vmq_webhooks\.(\w+)\.hook$/.exec(name) ?? [];
    if (key === undefined) return [];
    const isRegister = settingOf(`vmq_webhooks.${key}.endpoint`).includes("register-url");
    const endpoint = `${hooks}/vernemq/${hookSecret}${isRegister ? "/register" : ""}`;
    return [{ hook: value, endpoint, noPayload: settingOf(`vmq_webhooks.${key}.no_payload`) === "on", why }];
  });
}

function findingsOf(
  { hook, why }: Webhook,
  { isThere, outdated, foreign }: { isThere: boolean; outdated: string[]; foreign: string[] },
): Finding[] {
  const setting = `webhooks ${hook}`;
  const isDoor = hook.startsWith("auth_on_");
  const found: Finding[] = [];
  if (!isThere)
    found.push({ setting, state: "wrong", says: "it does not ask auth-webhook with the hooks' secret", why });
  if (outdated.length > 0)
    found.push({ setting, state: "wrong", says: "it shows auth-webhook another secret as well", why });
  for (const endpoint of foreign) {
    const says = `it asks ${hostOf(endpoint)} too, which may let in anybody: deregister that webhook`;
    found.push({ setting, state: isDoor ? "open" : "wrong", says, why: "", byHand: true });
  }
  return found.length > 0 ? found : [{ setting, state: "right", says: "", why }];
}

/** No more: its path may hold a secret of somebody else. */
function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).origin : "another address";
}

function register(api: AdminApi, { hook, endpoint, noPayload }: Webhook, shown: string): Step {
  const flag = noPayload ? "&--no_payload=true" : "";
  const path = `webhooks/register?hook=${hook}&endpoint=${encodeURIComponent(endpoint)}${flag}`;
  return { says: `registers ${hook} at ${shown}`, run: () => command(api, path) };
}

function deregister(api: AdminApi, hook: string, endpoint: string): Step {
  const path = `webhooks/deregister?hook=${hook}&endpoint=${encodeURIComponent(endpoint)}`;
  return { says: `deregisters ${hook} with another secret`, run: () => command(api, path) };
}
