// MongoDB as an engine: `mongodb://…/DATABASE`, collections `{service}_…` of that database.
import type { Engine } from "../engine.ts";
import { listMongoServices } from "./list-services.ts";
import { openMongoStore } from "./store.ts";

export const mongo: Engine = {
  urls: "mongodb://…",
  takes: (url) => /^mongodb(\+srv)?:\/\//.test(url),
  open: (url, { service, facts }) => openMongoStore(url, service, facts),
  listServices: (url) => listMongoServices(url),
  identityOf: async (url) => identityOf(url),
  blobsUrl: (url) => url,
};

function identityOf(url: string): string {
  const [, scheme = "", hosts = "", database = ""] = /^([\w+]+:\/\/)(?:[^@/]*@)?([^/?]*)(?:\/([^?]*))?/.exec(url) ?? [];
  const named = hosts
    .toLowerCase()
    .split(",")
    .map((host) => (scheme.includes("+srv") || /:\d+$/.test(host) ? host : `${host}:27017`));
  return `${scheme}${named.sort().join(",")}/${database || "parley"}`;
}
