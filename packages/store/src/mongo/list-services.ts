// Which services have collections in a database.
import { connectMongo } from "./client.ts";
import { listNames } from "./documents.ts";
import { metaCollection } from "./schema.ts";
import { operationsOf } from "./store.ts";

/** Those that have a `{service}_meta`. Makes nothing. */
export async function listMongoServices(url: string): Promise<string[]> {
  const place = await connectMongo(url);
  try {
    const names = await listNames(operationsOf(place), "");
    return names.flatMap((name) => new RegExp(`^([a-z][a-z0-9-]*)_${metaCollection}$`).exec(name)?.[1] ?? []).sort();
  } finally {
    await place.client.close();
  }
}
