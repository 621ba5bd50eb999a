// The one server of a test run, or of a test file run alone.
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MongoKind, type MongoServer, startableKind, startMongo } from "./server.ts";

export type SharedMongo = { url: string; kind: MongoKind };

const kindKey = "PARLEY_TEST_MONGO";

/** Is there one to be had? */
export function hasMongo(): boolean {
  return process.env[kindKey] !== "none" && (Boolean(process.env.MONGODB_URL) || startableKind() !== undefined);
}

/** MONGODB_URL if it is set, else a server of our own; undefined where none can be had. Ours ends with this process. */
export async function sharedMongo(): Promise<SharedMongo | undefined> {
  if (!hasMongo()) return undefined;
  const given = process.env.MONGODB_URL;
  if (given) return { url: given, kind: (process.env[kindKey] as MongoKind) ?? "mongodb" };
  const kind = startableKind();
  if (kind === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), "parley-mongo-"));
  let server: MongoServer | undefined;
  process.once("exit", () => {
    void server?.kill();
    rmSync(dir, { recursive: true, force: true });
  });
  server = await startMongo(kind, dir);
  server.unref();
  return { url: server.url, kind };
}

/** Hands the server, or that there is none, on to processes started from here on. */
export function handOn(server: SharedMongo | undefined): void {
  if (server === undefined) {
    process.env[kindKey] = "none";
    return;
  }
  const { url, kind } = server;
  process.env.MONGODB_URL = url;
  process.env[kindKey] = kind;
}
