// A MongoDB-speaking server for tests: mongod of the PATH as a replica set of one, else mongo-java-server.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { isInstalled, type Program, startChild } from "../processes/child.ts";
import { eventually } from "../processes/eventually.ts";
import { freePort } from "../processes/free-port.ts";
import { fetchJars } from "./jars.ts";

/** `mongodb`: a server that MONGODB_URL names. mongo-java-server keeps all in memory and has no index scans. */
export type MongoKind = "mongodb" | "mongod" | "mongo-java-server";

export type MongoServer = {
  kind: MongoKind;
  /** Without a database. */
  url: string;
  port: number;
  kill(signal?: NodeJS.Signals): Promise<void>;
  pause(): void;
  resume(): void;
  /** We may end while it runs: it then ends with us. */
  unref(): void;
};

/** What this machine can start; undefined: nothing. */
export function startableKind(): MongoKind | undefined {
  if (isInstalled("mongod")) return "mongod";
  return isInstalled("java") && isInstalled("mvn") ? "mongo-java-server" : undefined;
}

/** Starts it with its data under `dir`; resolves when it takes writes. It ends with this process at the latest. */
export async function startMongo(kind: MongoKind, dir: string): Promise<MongoServer> {
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const program = kind === "mongod" ? await mongod(dir, port) : await javaServer(port);
  const logFile = join(dir, "mongo.log");
  const child = startChild(program, { logFile, dieWith: "SIGKILL" });
  const url = `mongodb://127.0.0.1:${port}/`;
  const dead = child.exited.then(async ({ error }) => {
    const last = error?.message ?? (await readFile(logFile, "utf8")).trim().split("\n").at(-1);
    throw new Error(`${kind} ended while starting: ${last}`);
  });
  dead.catch(() => {});
  try {
    const ready = eventually(() => answers(url, kind), { timeoutMs: 60_000, intervalMs: 100 });
    await Promise.race([ready, dead]);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    kind,
    url,
    port,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await child.exited;
    },
    pause: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    unref: () => child.unref(),
  };
}

async function mongod(dir: string, port: number): Promise<Program> {
  const data = join(dir, "data");
  await mkdir(data, { recursive: true });
  const args = ["--dbpath", data, "--port", String(port), "--bind_ip", "127.0.0.1", "--replSet", "parley"];
  return { command: "mongod", args };
}

async function javaServer(port: number): Promise<Program> {
  const jars = await fetchJars();
  const main = join(import.meta.dirname, "java-server/Main.java");
  // In the C locale Java cannot open a file whose path is not ASCII.
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  // Small. All suites share it, and it looks at every document of a collection for each query: what it does most is compiled well.
  const flags = ["-Xmx768m", "-XX:+UseSerialGC"];
  // From its own folder: a ":" in the path would end an entry of the class path.
  return { command: "java", args: [...flags, "-cp", "*", main, String(port)], cwd: jars, env };
}

async function answers(url: string, kind: MongoKind): Promise<boolean> {
  const client = new MongoClient(url, { directConnection: true, serverSelectionTimeoutMS: 1_000 });
  try {
    const admin = client.db("admin");
    if (kind === "mongod") {
      const members = [{ _id: 0, host: new URL(url).host }];
      await admin.command({ replSetInitiate: { _id: "parley", members } }).catch(() => {});
    }
    const hello = await admin.command({ ismaster: 1 });
    return hello.ismaster === true || hello.isWritablePrimary === true;
  } finally {
    await client.close();
  }
}
