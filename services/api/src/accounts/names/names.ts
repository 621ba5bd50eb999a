// Names: users and rooms share one namespace, compared without case; who has a name keeps its spelling.
import { foldName, reservedClientId } from "@parley/protocol";
import type { ApiStore, NameDoc } from "../../store.ts";

/** Parley's own at the broker, and what EMQX writes for a user that it does not know: nobody's name. */
const servicesNames: ReadonlySet<string> = new Set(["parley", "undefined"]);

/** Names that people take for the operator or for everybody: an application may make such a user, nobody registers it. */
const registeredByNobody: ReadonlySet<string> = new Set([
  "admin",
  "administrator",
  "all",
  "api",
  "everyone",
  "here",
  "operator",
  "root",
  "server",
  "support",
  "system",
]);

/** A name that would collide with Parley's own sessions at the broker. */
export function isServicesName(name: string): boolean {
  const folded = foldName(name);
  return servicesNames.has(folded) || reservedClientId.test(folded);
}

/** As the accounts of a phone are called. */
const ofPhone = /^[0-9]{5,15}_[0-9]+$/;

/**
 * A name that cannot be registered, though an application may make such a user: also that of a guest, who could log in no more, and
 * of an account of a phone, which is proven.
 */
export function isReservedName(name: string, guests: readonly string[]): boolean {
  const folded = foldName(name);
  if (isServicesName(name) || registeredByNobody.has(folded) || ofPhone.test(name)) return true;
  return guests.some((guest) => foldName(guest) === folded);
}

/** Takes a name for a user or a room; false when another kind or spelling has it. */
export async function takeName({ names }: ApiStore, name: string, kind: NameDoc["kind"]): Promise<boolean> {
  const key = foldName(name);
  if (await names.insert(key, { kind, name })) return true;
  const kept = await names.get(key);
  return kept?.doc.kind === kind && !kept.doc.gone && (kept.doc.name ?? kept.key) === name;
}

/** Gives a name back that was taken for what was never made. */
export async function giveName({ names }: ApiStore, name: string): Promise<void> {
  for (const key of new Set([foldName(name), name])) {
    const kept = await names.get(key);
    if (kept && (kept.doc.name ?? kept.key) === name) await names.remove(key, kept.version);
  }
}

const pageNames = 500;
const foldedMark = "names-without-case";

/**
 * Names of versions that told `Alice` and `alice` apart are taken in lower case too, once. Where two users differ in case
 * only, both keep working.
 */
export async function foldKeptNames({ names, migrations }: ApiStore): Promise<void> {
  if (await migrations.get(foldedMark)) return;
  let page: string | null | undefined;
  do {
    const { items, next } = await names.find({ limit: pageNames, ...(page ? { page } : {}) });
    const spelled = items.filter(({ key }) => key !== foldName(key));
    await names.writeMany([...foldedOf(spelled)].map(([key, doc]) => ({ key, doc })));
    page = next;
  } while (page);
  await migrations.insert(foldedMark, { doneAt: Date.now() });
}

function foldedOf(spelled: readonly { key: string; doc: NameDoc }[]): Map<string, NameDoc> {
  return new Map(spelled.map(({ key, doc }) => [foldName(key), { kind: doc.kind, name: key }]));
}
