// Which services have something in a store; looking makes nothing.
import { listMongoServices } from "../mongo/list-services.ts";
import { isMongoUrl, sqliteFolder } from "../open-store.ts";
import { listSqliteServices } from "../sqlite/list-services.ts";
import { StoreError } from "../store-error.ts";

export async function listServices(url: string): Promise<string[]> {
  if (isMongoUrl(url)) return listMongoServices(url);
  const folder = sqliteFolder(url);
  if (folder === undefined) throw new StoreError("invalid_url", "a store is sqlite:FOLDER or mongodb://…");
  return listSqliteServices(folder);
}
