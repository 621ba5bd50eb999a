// The driver's client for a STORE_URL: its settings, and one clear line for every way in which it cannot be had.
import { MongoClient, type MongoClientOptions, MongoServerSelectionError, type TopologyDescription } from "mongodb";
import { StoreError } from "../store-error.ts";
import { asStoreError } from "./mongo-error.ts";

/** Where the server is not found or has no primary. */
const selectionMs = 5_000;
/**
 * A server that took a command and says nothing: the connection is given up, the outcome is unknown. A router waits 10 s
 * for an append, so there is time to try again.
 */
const silenceMs = 5_000;
/** The majority is waited for so long; then the outcome is unknown. */
const majorityMs = 4_000;
const heartbeatMs = 2_000;
const connectionsMax = 32;

export const writeConcern = { w: "majority", j: true, wtimeout: majorityMs } as const;

export type MongoPlace = {
  client: MongoClient;
  database: string /** For messages: without user and password. */;
  place: string;
};

/** Throws StoreError: `invalid_url`, `unavailable`, `denied`. */
export async function connectMongo(url: string, options: MongoClientOptions = {}): Promise<MongoPlace> {
  const client = createClient(url, options);
  const database = client.options.dbName === "test" && !/\/test(\?|$)/.test(url) ? "parley" : client.options.dbName;
  const { srvHost, hosts } = client.options;
  const place = `${srvHost ? "mongodb+srv" : "mongodb"}://${srvHost ?? hosts.join(",")}/${database}`;
  try {
    await client.connect();
    return { client, database, place };
  } catch (error) {
    await client.close();
    throw startError(error, place);
  }
}

function createClient(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, {
      appName: "parley",
      writeConcern: { w: "majority", j: true, wtimeoutMS: majorityMs },
      // By this name: the URL cannot say another.
      readConcernLevel: "majority",
      readPreference: "primary",
      // A command that was sent again may meet its own first one: its 11000 would look like another writer's. Whoever
      // writes looks up what it cannot know instead (MessageLog's recovery), and that is the only way to try again.
      retryWrites: false,
      serverSelectionTimeoutMS: selectionMs,
      connectTimeoutMS: selectionMs,
      socketTimeoutMS: silenceMs,
      waitQueueTimeoutMS: selectionMs,
      heartbeatFrequencyMS: heartbeatMs,
      promoteBuffers: true,
      ignoreUndefined: true,
      // The one of these that the URL may set.
      ...(!/[?&]maxPoolSize=/i.test(url) && { maxPoolSize: connectionsMax }),
      ...options,
    });
  } catch (error) {
    throw new StoreError("invalid_url", `this is not a MongoDB URL: ${withoutSecrets(error, url)}`);
  }
}

// The driver's own words, unless they repeat a part of the URL that may be a password.
function withoutSecrets(error: unknown, url: string): string {
  const reason = error instanceof Error ? error.message : String(error);
  const [, user = ""] = /\/\/(.*)@/.exec(url) ?? [];
  const shows = [url, ...user.split(/[:@/]/)].some((part) => part.length > 2 && reason.includes(part));
  const hint = "is what its user name and password hold %-encoded?";
  return shows ? hint : `${reason}${user === "" ? "" : `; ${hint}`}`;
}

function startError(error: unknown, place: string): unknown {
  if (error instanceof MongoServerSelectionError) {
    const reason = error.reason && unreachable(error.reason);
    return new StoreError("unavailable", `${place}: ${reason ?? error.message}`, { cause: error });
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOTFOUND" || code === "ENODATA")
    return new StoreError("unavailable", `${place}: the host name is not known`, { cause: error });
  return asStoreError(error, place);
}

function unreachable({ servers, type, setName }: TopologyDescription): string {
  const all = [...servers.values()];
  const failures = all.flatMap(({ address, error }) => (error ? [`${address} ${wordsOf(error)}`] : []));
  const refused = all.find(({ error }) => error && /auth/i.test(error.message));
  if (refused) return "the server refuses this user name and password";
  const members = all.filter(({ type: kind }) => kind.startsWith("RS"));
  if (type === "ReplicaSetNoPrimary" && members.length > 0) {
    const away = failures.length > 0 ? ` (${failures.join("; ")})` : "";
    return `replica set ${setName ?? ""} has no primary: is a majority of its members running?${away}`;
  }
  return failures.length > 0 ? failures.join("; ") : `no server that takes writes (${type})`;
}

function wordsOf(error: Error): string {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ENOTFOUND: "is not a known host",
    EAI_AGAIN: "is not a known host (DNS does not answer)",
    ECONNREFUSED: "refuses connections: is MongoDB running there?",
    ETIMEDOUT: "does not answer",
  };
  return (
    words[cause.code ?? ""] ?? (/timed? ?out/i.test(error.message) ? "does not answer" : `fails: ${error.message}`)
  );
}
