// A fresh MongoDB database for a test, on whatever speaks MongoDB's protocol here.
import { randomBytes } from "node:crypto";
import { MongoClient } from "mongodb";
import type { TestContext } from "../testing/start-servers.ts";
import type { MongoKind } from "./server.ts";
import { type SharedMongo, sharedMongo } from "./shared-server.ts";

export type TestMongo = {
  /** A database of the test's own: dropped when the test ends. */
  url: string;
  kind: MongoKind;
};

let started: Promise<SharedMongo | undefined> | undefined;

/**
 * MONGODB_URL, else mongod of the PATH, else mongo-java-server (Maven and Java). undefined: there is none, skip the test.
 * The tests of a file share one server, which ends with the file's process; `npm test` starts one for all files.
 */
export async function testMongo(t: TestContext): Promise<TestMongo | undefined> {
  started ??= sharedMongo();
  const server = await started;
  if (server === undefined) return undefined;
  const url = withDatabase(server.url, `parley_test_${randomBytes(6).toString("hex")}`);
  t.after(() => drop(url));
  return { url, kind: server.kind };
}

// Not by URL: that class takes one host.
function withDatabase(server: string, name: string): string {
  const [, hosts, query = ""] = /^([^:]+:\/\/[^/?]+)[^?]*\??(.*)$/.exec(server) ?? [];
  const options = new URLSearchParams(query);
  // The user is the server's, not the database's.
  if (hosts?.includes("@") && !options.has("authSource")) options.set("authSource", "admin");
  return `${hosts}/${name}${options.size > 0 ? `?${options}` : ""}`;
}

async function drop(url: string): Promise<void> {
  // A test may have ended its server.
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 1_000 });
  await client
    .db()
    .dropDatabase()
    .catch(() => {});
  await client.close();
}
