// Which Parley is meant: its data folder, its store, and how its services are reached, by the environment or run.json.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readValue } from "@parley/runtime";
import { UsageError } from "../failure.ts";

/** The service that keeps the files of messages. */
export const filesOf = "api";

export interface Place {
  /** PARLEY_DIR, absolute. */
  dir: string;
  /** A SQLite store. */
  storeUrl: string;
  secrets: string;
  /** BLOBS_URL: files are elsewhere, and not in a backup. */
  blobsUrl: string | undefined;
  /** Undefined: nothing runs here. */
  natsUrl: string | undefined;
}

const mongoWords =
  "this Parley keeps everything in MongoDB: back it up with `mongodump --oplog` (all at one moment) and put it back with `mongorestore --oplogReplay` into an empty database before any service starts; copy the secrets folder too (docs/operations.md, Backup)";

/** Throws a UsageError that says what to do where the store is MongoDB's, or STORE_URL names no store. */
export function findPlace(env: NodeJS.ProcessEnv = process.env): Place {
  const dir = resolve(env.PARLEY_DIR || ".parley");
  const run = readRun(join(dir, "run.json"));
  const storeUrl = readUrl(env, "STORE_URL") || run?.store || `sqlite:${join(dir, "data")}`;
  if (/^mongodb(\+srv)?:/.test(storeUrl)) throw new UsageError(mongoWords);
  if (!/^sqlite:./.test(storeUrl))
    throw new UsageError("STORE_URL must be sqlite:FOLDER, the folder of the store that is to be backed up");
  const secrets = env.PARLEY_SECRETS || join(dir, "secrets");
  return {
    dir,
    storeUrl,
    secrets,
    blobsUrl: env.BLOBS_URL || undefined,
    natsUrl: readUrl(env, "NATS_URL") || run?.nats,
  };
}

/** Where the services talk. Throws a UsageError where that is not known. */
export function findNats(env: NodeJS.ProcessEnv = process.env): string {
  const url = readUrl(env, "NATS_URL") || readRun(join(resolve(env.PARLEY_DIR || ".parley"), "run.json"))?.nats;
  if (url !== undefined) return url;
  throw new UsageError(
    "nothing runs here: PARLEY_DIR says where Parley's data is, or NATS_URL where its services talk",
  );
}

// As services read it: NATS_URL, or the file that NATS_URL_FILE names.
function readUrl(env: NodeJS.ProcessEnv, key: "NATS_URL" | "STORE_URL"): string | undefined {
  try {
    return readValue(env, key);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readRun(path: string): { nats: string; store: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")).services;
  } catch {
    return undefined;
  }
}
