// The MongoDB engine: a service's collections in the database that the URL names.
import { setTimeout as sleep } from "node:timers/promises";
import type { Facts } from "../facts.ts";
import type { Store } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { connectMongo, type MongoPlace } from "./client.ts";
import { MongoDocuments } from "./documents.ts";
import { logCollection, logIndexes } from "./entry-documents.ts";
import { ensureIndexes } from "./indexes.ts";
import { MongoMessageLog } from "./message-log.ts";
import { asStoreError } from "./mongo-error.ts";
import { Operations } from "./operations.ts";
import { metaCollection, openSchema, type Steps } from "./schema.ts";
import { MongoSearchIndexes } from "./search-index.ts";

// Indexes are brought to what is declared at every open: the first layout is only that the collections are Parley's.
const steps: Steps = [async () => {}];

const checkLimitMs = 1_800;
// A service ends within 10 s.
const closeLimitMs = 6_000;
// An index of many millions of documents takes minutes, in which the server says nothing.
const patient = { socketTimeoutMS: 0, maxPoolSize: 4 };

export async function openMongoStore(url: string, service: string, facts: Facts): Promise<Store> {
  const prefix = prefixOf(service);
  const server = await connectMongo(url);
  let builder: MongoPlace | undefined;
  try {
    builder = await connectMongo(url, patient);
    const db = builder.client.db(builder.database);
    const stored = await openSchema(db, { prefix, place: server.place, steps, facts });
    await ensureIndexes(db.collection(`${prefix}${logCollection}`), logIndexes);
    return assemble(server, builder, prefix, stored);
  } catch (error) {
    await Promise.all([server.client.close(), builder?.client.close()]);
    throw asStoreError(error, server.place);
  }
}

/** Collections of a service are `{service}_{name}`: its name has no underscore. */
function prefixOf(service: string): string {
  return `${service}_`;
}

export function operationsOf({ client, database, place }: MongoPlace): Operations {
  return new Operations(client.db(database), place, client.options.maxPoolSize);
}

function assemble(server: MongoPlace, builder: MongoPlace, prefix: string, facts: Facts): Store {
  const operations = operationsOf(server);
  const log = new MongoMessageLog(operations, prefix);
  const own = [logCollection, metaCollection];
  const building = operationsOf(builder);
  const documents = new MongoDocuments({ operations, builder: building, prefix, own });
  const indexes = new MongoSearchIndexes({ operations, builder: building, prefix });
  let checking: Promise<void> | undefined;
  return {
    exclusive: false,
    log: () => log,
    documents: () => documents,
    searchIndexes: () => indexes,
    facts: async () => facts,
    async compact() {},
    check() {
      checking ??= checkWrite(operations, prefix).finally(() => {
        checking = undefined;
      });
      return withinLimit(checking, server.place);
    },
    async close() {
      await Promise.race([
        Promise.all([operations.close(), building.close()]),
        sleep(closeLimitMs, undefined, { ref: false }),
      ]);
      await Promise.all([server.client.close(), builder.client.close()]);
    },
  };
}

// What an append needs: a primary, and a majority that has it on disk.
async function checkWrite(operations: Operations, prefix: string): Promise<void> {
  const updates = [{ q: { _id: "check" }, u: { $set: { at: new Date() } }, upsert: true }];
  await operations.write({ update: `${prefix}${metaCollection}`, updates });
}

async function withinLimit(work: Promise<void>, place: string): Promise<void> {
  const timer = new AbortController();
  const late = sleep(checkLimitMs, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new StoreError("unavailable", `${place}: no write within ${checkLimitMs} ms`);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
    work.catch(() => {});
  }
}
