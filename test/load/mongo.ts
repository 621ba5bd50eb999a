// The MongoDB of a run, and what its figures can say.
import { type MongoKind, testMongo } from "@parley/testkit";

export interface BenchMongo {
  /** a fresh database */
  url: string;
  kind: MongoKind;
}

/** Gives `work` a fresh database, gone afterwards; undefined: there is no server to be had. */
export async function withMongo<T>(work: (mongo: BenchMongo) => Promise<T>): Promise<T | undefined> {
  const ends: (() => unknown)[] = [];
  try {
    const mongo = await testMongo({ after: (end) => ends.push(end) });
    return mongo && (await work(mongo));
  } finally {
    for (const end of ends) await end();
  }
}

export function saysNothing(kind: MongoKind): boolean {
  return kind === "mongo-java-server";
}

/** What a reader must know of figures made on it. */
export function warningOf(kind: MongoKind): string {
  return saysNothing(kind)
    ? "**The server is mongo-java-server: an in-memory test server without index scans. Its figures say nothing about MongoDB;** they show only that the path runs. Set MONGODB_URL to measure a real one."
    : `The server is ${kind === "mongod" ? "a mongod of this machine, a replica set of one" : "the one MONGODB_URL names"}: writes at majority, journaled.`;
}

export const noMongo =
  "There is no MongoDB here (MONGODB_URL, mongod, or Java with Maven for the test server): what needs it was left out.";
