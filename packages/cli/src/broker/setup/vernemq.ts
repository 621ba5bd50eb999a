// VerneMQ: what is read of its configuration over its HTTP API, what is wrong with it, and what mends that until its next start.
import { vernemqSettings } from "../settings/files.ts";
import type { ConfSetting } from "../settings/vernemq-conf.ts";
import type { AdminApi } from "./admin-api.ts";
import type { BrokerSetup, Finding, SetupTarget, Step } from "./finding.ts";
import { command, tableOf } from "./vernemq-api.ts";
import { lookAtWebhooks } from "./vernemq-webhooks.ts";

/** What `set` takes. All else stands in vernemq.conf alone. */
const settable = [
  "allow_anonymous",
  "allow_register_during_netsplit",
  "allow_publish_during_netsplit",
  "allow_subscribe_during_netsplit",
  "allow_unsubscribe_during_netsplit",
  "max_client_id_size",
  "max_subscriptions_per_client",
  "persistent_client_expiration",
  "max_inflight_messages",
  "max_online_messages",
  "max_offline_messages",
  "max_message_size",
  "topic_alias_max_client",
  "max_last_will_delay",
  "coordinate_registrations",
];
/** What is shown but not set. */
const shown = [...settable, "topic_max_depth"];

export function vernemqSetup(api: AdminApi, target: SetupTarget): BrokerSetup {
  const settings = vernemqSettings();
  const hooks = lookAtWebhooks(api, settings, target);
  return {
    title: "VerneMQ",
    oldest: { version: "2.2.0", why: "a take-over of a session could hang before it" },
    async versions() {
      const versions = versionsIn(await api.ask("/status.json"));
      if (versions.length === 0)
        throw new Error("/status.json tells no version: is vmq_status_http among its http_modules?");
      return versions;
    },
    async inspect() {
      return [
        ...(await config(api, settings)),
        ...(await plugins(api, settings)),
        ...(await hooks.inspect()),
        ...(await listeners(api, settings)),
      ];
    },
    // The plugin first: without it there are no webhooks. Nobody gets in while it has none.
    steps: (findings) => [
      ...setSteps(api, settings, findings),
      ...pluginSteps(api, settings, findings),
      ...hooks.steps(),
    ],
    remarks: [
      "what was set over the API is gone when a node starts again: deploy/vernemq/vernemq.conf has to be its configuration",
      "VerneMQ does not show whether bodies travel with the hooks of publishes (no_payload), nor how many connections it has for hooks",
    ],
  };
}

function versionsIn(status: unknown): string[] {
  if (typeof status !== "object" || status === null) return [];
  return Object.entries(status).flatMap(([name, value]) =>
    name === "version" && typeof value === "string" ? [value] : versionsIn(value),
  );
}

async function config(api: AdminApi, settings: readonly ConfSetting[]): Promise<Finding[]> {
  const rows = await tableOf(api, "config/show?app=vmq_server");
  return settings
    .filter(({ name }) => shown.includes(name))
    .map(({ name, value, why }): Finding => {
      const row = rows.find(({ Config }) => Config === name);
      const is = row && [row.Node, row.Global, row.Env].find((one) => one !== "" && one !== undefined);
      if (is === undefined) return { setting: name, state: "unseen", says: "VerneMQ does not show it", why };
      if (plain(is) === plain(value)) return { setting: name, state: "right", says: "", why };
      const says = `it is ${String(is)} and should be ${value}`;
      const byHand = settable.includes(name) ? {} : { byHand: true as const };
      return { setting: name, state: name === "allow_anonymous" ? "open" : "wrong", says, why, ...byHand };
    });
}

/** Switches, and spans of time in seconds. */
function plain(value: unknown): string {
  const text = String(value);
  if (text === "on" || text === "true") return "true";
  if (text === "off" || text === "false") return "false";
  const [, count, unit = ""] = /^(\d+)([shdw])$/.exec(text) ?? [];
  const seconds = { s: 1, h: 3_600, d: 86_400, w: 604_800 }[unit];
  return seconds === undefined ? text : String(Number(count) * seconds);
}

async function plugins(api: AdminApi, settings: readonly ConfSetting[]): Promise<Finding[]> {
  const on = (await tableOf(api, "plugin/show")).map(({ Plugin }) => String(Plugin));
  const known = settings.filter(({ name }) => name.startsWith("plugins."));
  const own = known.map(({ name, value, why }): Finding => {
    const isOn = on.includes(name.slice("plugins.".length));
    if (isOn === (value === "on")) return { setting: name, state: "right", says: "", why };
    return { setting: name, state: "open", says: `it is ${isOn ? "on" : "off"} and should be ${value}`, why };
  });
  const others = on
    .filter((plugin) => plugin === "vmq_diversity")
    .map((plugin): Finding => {
      const says = "its scripts are asked who may do what, besides auth-webhook: disable it";
      return { setting: `plugins.${plugin}`, state: "open", says, why: "", byHand: true };
    });
  return [...own, ...others];
}

function pluginSteps(api: AdminApi, settings: readonly ConfSetting[], findings: readonly Finding[]): Step[] {
  return findings
    .filter(({ setting, state, byHand }) => setting.startsWith("plugins.") && state !== "right" && !byHand)
    .map(({ setting }): Step => {
      const verb = settings.find(({ name }) => name === setting)?.value === "on" ? "enable" : "disable";
      const name = setting.slice("plugins.".length);
      return { says: `${verb}s the plugin ${name}`, run: () => command(api, `plugin/${verb}?--name=${name}`) };
    });
}

function setSteps(api: AdminApi, settings: readonly ConfSetting[], findings: readonly Finding[]): Step[] {
  const wrong = findings.filter(
    ({ setting, state }) => settable.includes(setting) && state !== "right" && state !== "unseen",
  );
  return wrong.flatMap(({ setting }) => {
    const value = settings.find(({ name }) => name === setting)?.value;
    if (value === undefined) return [];
    const run = () => command(api, `set?${setting}=${encodeURIComponent(value)}`);
    return [{ says: `sets ${setting} to ${value}`, run }];
  });
}

async function listeners(api: AdminApi, settings: readonly ConfSetting[]): Promise<Finding[]> {
  const rows = (await tableOf(api, "listener/show?--mqtt")).filter(({ type }) => /^mqtt/.test(String(type)));
  const why = settings.find(({ name }) => name === "listener.tcp.allowed_protocol_versions")?.why ?? "";
  return rows.flatMap((row): Finding[] => {
    const name = `listener ${String(row.type)} ${String(row.address)}:${String(row.port)}`;
    const versions = JSON.stringify(row.allowed_protocol_versions ?? "").match(/\d+/g) ?? [];
    const found: Finding[] = [];
    if (row.allow_anonymous_override === true || row.allow_anonymous_override === "true")
      found.push({
        setting: `${name}, allow_anonymous_override`,
        state: "open",
        says: "it is on: everybody gets in here. Set it to off in vernemq.conf",
        why: "",
        byHand: true,
      });
    const isRight = versions.every((one) => one === "4" || one === "5") && versions.length > 0;
    const says = `it is ${versions.join(",") || "not set"} and should be 4,5 in vernemq.conf`;
    const setting = `${name}, allowed_protocol_versions`;
    found.push(
      isRight ? { setting, state: "right", says: "", why } : { setting, state: "wrong", says, why, byHand: true },
    );
    return found;
  });
}
