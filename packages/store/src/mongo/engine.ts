// MongoDB as an engine: `mongodb://…/DATABASE`, collections `{service}_…` of that database.
import type { Engine } from "../engine.ts";

// The driver is loaded when a store of it is opened: a process on SQLite starts without its 130 modules.
export const mongo: Engine = {
  urls: "mongodb://…",
  takes: (url) => /^mongodb(\+srv)?:\/\//.test(url),
  open: async (url, { service, facts }) => (await import("./store.ts")).openMongoStore(url, service, facts),
  listServices: async (url) => (await import("./list-services.ts")).listMongoServices(url),
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
