// What a service's collections are: kind, version and facts in its `meta`; read before anything is touched.
import type { Collection, Db } from "mongodb";
import { MongoServerError } from "mongodb";
import { checkFacts, type Facts } from "../facts.ts";
import { StoreError } from "../store-error.ts";
import { serverCodes } from "./mongo-error.ts";

export const metaCollection = "meta";

/** `steps[n]` brings version n to n + 1. Done again, or by two replicas at once, it must come to the same. */
export type Steps = readonly ((db: Db, prefix: string) => Promise<void>)[];

type Meta = { _id: "store"; kind: "parley"; version: number; facts: Facts };

export type Wanted = { prefix: string; place: string; steps: Steps; facts: Facts };

/**
 * Answers the facts as stored. Throws, with nothing touched: `corrupt` for collections that are not Parley's,
 * `newer_version`, `mismatch`.
 */
export async function openSchema(db: Db, { prefix, place, steps, facts }: Wanted): Promise<Facts> {
  const metas = db.collection<Meta>(`${prefix}${metaCollection}`);
  const meta = await readMeta(db, metas, { prefix, place });
  if (meta.version > steps.length) {
    const message = `${place}: ${prefix}* was written by a newer Parley (schema ${meta.version}, this one knows ${steps.length}); it is left as it is, start the newer one`;
    throw new StoreError("newer_version", message, { details: { version: meta.version } });
  }
  const added = checkFacts(meta.facts, facts, `${place}: ${prefix}*`);
  if (meta.version === 0) await makeMeta(metas, added);
  for (const [name, value] of Object.entries(added)) {
    await metas.updateOne(
      { _id: "store", [`facts.${name}`]: { $exists: false } },
      { $set: { [`facts.${name}`]: value } },
    );
  }
  // Another replica may have been first.
  const { facts: stored } = await readMeta(db, metas, { prefix, place });
  checkFacts(stored, facts, `${place}: ${prefix}*`);
  for (let version = meta.version; version < steps.length; version++) {
    await steps[version]?.(db, prefix);
    // Only forward: another replica may be further.
    await metas.updateOne({ _id: "store", version }, { $set: { version: version + 1 } });
  }
  return stored;
}

async function readMeta(
  db: Db,
  metas: Collection<Meta>,
  { prefix, place }: Pick<Wanted, "prefix" | "place">,
): Promise<Meta> {
  // In this order: `meta` is made first, so collections without it are nobody's that is just opening.
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const found = await metas.findOne({ _id: "store" });
  const others = names.filter((name) => name.startsWith(prefix) && name !== metas.collectionName);
  const isOurs = found?.kind === "parley" && Number.isInteger(found.version);
  if (isOurs) return found;
  if (found || others.length > 0 || names.includes(metas.collectionName)) {
    const message = `${place}: its collections ${prefix}… are not Parley's; name another database in STORE_URL`;
    throw new StoreError("corrupt", message);
  }
  return { _id: "store", kind: "parley", version: 0, facts: {} };
}

// The first of two replicas makes it, the other finds it.
async function makeMeta(metas: Collection<Meta>, facts: Facts): Promise<void> {
  try {
    await metas.insertOne({ _id: "store", kind: "parley", version: 0, facts });
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === serverCodes.duplicateKey)) throw error;
  }
}
