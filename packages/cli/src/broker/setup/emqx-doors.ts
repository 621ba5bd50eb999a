// What at EMQX is not of Parley's file and may let somebody in: other listeners, authenticators and sources of rules.
import type { Setting, SettingTree } from "../settings/setting.ts";
import type { AdminApi } from "./admin-api.ts";
import { api5 } from "./emqx-pieces.ts";
import type { Finding, Step } from "./finding.ts";

const mountpoint = "$" + "{client_attrs.mp}";
const fileSource = "authorization.sources (file)";

export async function foreignFindings(api: AdminApi, settings: readonly Setting[]): Promise<Finding[]> {
  return [...(await sources(api, settings)), ...(await authenticators(api)), ...(await listeners(api, settings))];
}

/** The file is EMQX's own, and ends in "allow". */
export function removeFileSource(api: AdminApi, findings: readonly Finding[]): Step[] {
  if (!findings.some(({ setting }) => setting === fileSource)) return [];
  const run = async () => void (await api.ask(`${api5}/authorization/sources/file`, "DELETE"));
  return [{ says: "removes the file of rules from authorization.sources", run }];
}

async function sources(api: AdminApi, settings: readonly Setting[]): Promise<Finding[]> {
  const answer = (await api.ask(`${api5}/authorization/sources`)) as { sources?: SettingTree[] } | undefined;
  if (!Array.isArray(answer?.sources)) throw new Error("EMQX tells no list of authorization.sources");
  const why = settings.find(({ name }) => name === "authorization.sources")?.why ?? "";
  return answer.sources.map(({ type, enable }): Finding => {
    const isOn = enable !== false;
    if (type === "file")
      return {
        setting: fileSource,
        state: isOn ? "open" : "wrong",
        says: "a file of rules is asked what devices may do",
        why,
      };
    const says = "it is asked what devices may do, besides the answer to authentication: remove it";
    return {
      setting: `authorization.sources (${String(type)})`,
      state: isOn ? "open" : "wrong",
      says,
      why,
      byHand: true,
    };
  });
}

async function authenticators(api: AdminApi): Promise<Finding[]> {
  const all = ((await api.ask(`${api5}/authentication`)) ?? []) as SettingTree[];
  return all
    .filter(
      ({ mechanism, backend, enable }) => enable !== false && !(mechanism === "password_based" && backend === "http"),
    )
    .map(({ mechanism, backend }): Finding => {
      const name = [mechanism, backend].filter((one) => one !== undefined).join(":");
      const says = "it lets in whom auth-webhook does not know: remove it";
      return { setting: `authentication (${name})`, state: "open", says, why: "", byHand: true };
    });
}

/** Every listener that is on, whoever made it. */
async function listeners(api: AdminApi, settings: readonly Setting[]): Promise<Finding[]> {
  const all = (await api.ask(`${api5}/listeners`)) as { id?: string; enable?: boolean }[] | undefined;
  if (!Array.isArray(all)) throw new Error("EMQX tells no list of its listeners");
  const found: Finding[] = [];
  for (const id of all.filter(({ enable }) => enable !== false).map((one) => String(one.id))) {
    const listener = (await api.ask(`${api5}/listeners/${encodeURIComponent(id)}`)) as SettingTree | undefined;
    if (!listener || listener.enable === false) continue;
    const name = `listeners.${id.replace(":", ".")}`;
    const own = settings.some((one) => one.name.startsWith(`${name}.`));
    const wrong = (setting: string, says: string, state: "open" | "wrong" = "open") =>
      found.push({ setting: `${name}.${setting}`, state, says, why: "", byHand: true });
    if (listener.enable_authn === false) wrong("enable_authn", "it lets in everybody without asking: set it to true");
    if (Array.isArray(listener.authentication) && listener.authentication.length > 0)
      wrong("authentication", "it has authentication of its own in the place of auth-webhook: remove it");
    if (!own && listener.mountpoint !== mountpoint)
      wrong(
        "mountpoint",
        `a device of another protocol could reach every topic here: set it to ${mountpoint}, or stop the listener`,
      );
  }
  return found;
}
