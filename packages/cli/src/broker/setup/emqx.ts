// EMQX: what is read of its configuration over its HTTP API, what is wrong with it, and what mends that.
import { emqxSettings } from "../settings/files.ts";
import type { Setting, SettingTree, SettingValue } from "../settings/setting.ts";
import type { AdminApi } from "./admin-api.ts";
import { foreignFindings, removeFileSource } from "./emqx-doors.ts";
import { api5, emqxPieces, hasExampleCertificate, type Piece } from "./emqx-pieces.ts";
import type { BrokerSetup, Finding, SetupTarget, Step } from "./finding.ts";
import { isSame } from "./same.ts";

/** What EMQX shows in the place of a secret. */
const hidden = /^\*+$/;
/** Ports, certificates, and what stands in a list as a whole, are each place's own. */
const placeOwn = /\.(bind|certfile|keyfile)$/;

interface Look {
  piece: Piece;
  wanted: SettingTree;
  found: SettingTree | undefined;
  findings: Finding[];
}

export function emqxSetup(api: AdminApi, target: SetupTarget & { writeSecret: boolean }): BrokerSetup {
  const { tree, settings } = emqxSettings();
  placeHooks(tree, target);
  const pieces = emqxPieces(api);
  let looks: Look[] = [];
  return {
    title: "EMQX",
    oldest: { version: "5.8.0", why: "the answer to authentication cannot hold rules before it" },
    async versions() {
      const nodes = (await api.ask(`${api5}/nodes`)) as { version?: unknown }[] | undefined;
      if (!Array.isArray(nodes)) throw new Error(`${api5}/nodes is no list: is this the API of EMQX 5?`);
      return nodes.map(({ version }) => String(version));
    },
    async inspect() {
      looks = [];
      for (const piece of pieces) looks.push(await lookAt(piece, tree, settings, target.writeSecret));
      return [...looks.flatMap(({ findings }) => findings), ...(await foreignFindings(api, settings))];
    },
    steps(findings) {
      const writes = looks
        .filter((look) => look.findings.some(({ state }) => state !== "right"))
        .map(({ piece, wanted, found }): Step => {
          return { says: `writes ${piece.root}`, run: () => piece.write(wanted, found) };
        });
      return [...writes, ...removeFileSource(api, findings)];
    },
    remarks: [
      "EMQX does not show the hooks' secret: whether it is the right one is seen with `parley broker check` (--write-secret writes it again)",
    ],
  };
}

/** The address of auth-webhook and the hooks' secret, in their places. */
function placeHooks(tree: SettingTree, { hooks, hookSecret }: SetupTarget): void {
  const headers = { "content-type": "application/json", authorization: `Bearer ${hookSecret}` };
  const [authenticator] = tree.authentication as SettingTree[];
  Object.assign(authenticator ?? {}, { url: `${hooks}/emqx/authn`, headers });
  const connector = at(tree, "connectors.http.parley") as SettingTree;
  Object.assign(connector, { url: hooks, headers });
}

async function lookAt(piece: Piece, tree: SettingTree, all: readonly Setting[], writeSecret: boolean): Promise<Look> {
  const wanted = wantedOf(tree, piece.root);
  const found = await piece.read();
  const settings = all.filter(({ name }) => name.startsWith(`${piece.root}.`) && !placeOwn.test(name));
  return { piece, wanted, found, findings: findingsOf(piece, settings, { wanted, found, writeSecret }) };
}

function findingsOf(
  { root }: Piece,
  settings: readonly Setting[],
  { wanted, found, writeSecret }: { wanted: SettingTree; found: SettingTree | undefined; writeSecret: boolean },
): Finding[] {
  const isTls = /^listeners\.(ssl|wss)\./.test(root);
  const why = settings[0]?.why ?? "";
  if (isTls && (!found || found.enable === false)) return [];
  if (isTls && found && hasExampleCertificate(found)) {
    const says =
      "it shows the certificate that comes with EMQX, whose key everybody has; it is stopped until it has its own";
    return [{ setting: root, state: "wrong", says, why }];
  }
  if (!found && root.startsWith("zones."))
    return [
      { setting: root, state: "unseen", says: "EMQX shows it only in sessions, and no router is connected", why },
    ];
  if (!found) return [{ setting: root, state: stateOf(root), says: "it is not there", why }];
  return settings.flatMap(({ name, why: reason }): Finding[] => {
    const own = name.slice(root.length + 1);
    if (own.includes("[]") || own === "sources" || (isTls && /^(enable$|ssl_options\.)/.test(own))) return [];
    const [is, ought] = [at(found, own), at(wanted, own)];
    // Of the zone sessions show two settings.
    if (is === undefined && root.startsWith("zones.")) return [];
    // What is on without being said to be.
    if (is === undefined && own === "enable" && ought === true)
      return [{ setting: name, state: "right", says: "", why: reason }];
    const isHidden = typeof is === "string" && hidden.test(is);
    if (isHidden ? !writeSecret : isSame(ought ?? "", is))
      return [{ setting: name, state: "right", says: "", why: reason }];
    const says = isHidden || /authorization$/.test(own) ? "the hooks' secret is written again" : differs(is, ought);
    return [{ setting: name, state: stateOf(name), says, why: reason }];
  });
}

/** With these anybody gets in, or may do anything. */
function stateOf(name: string): "wrong" | "open" {
  const doors =
    /^(authentication\[\](\.(enable|url|mechanism|backend))?|authorization\.no_match|listeners\..*\.mountpoint)$/;
  return doors.test(name) ? "open" : "wrong";
}

function differs(is: unknown, ought: unknown): string {
  const shown = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));
  return `it is ${shown(is)} and should be ${shown(ought)}`;
}

function wantedOf(tree: SettingTree, root: string): SettingTree {
  if (root === "authentication[]") return (tree.authentication as SettingTree[])[0] as SettingTree;
  return at(tree, root) as SettingTree;
}

function at(tree: SettingTree, path: string): SettingValue | undefined {
  let value: SettingValue | undefined = tree;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || Array.isArray(value)) return undefined;
    value = value[name];
  }
  return value;
}
