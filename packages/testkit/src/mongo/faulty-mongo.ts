// A proxy before a MongoDB server that understands just enough of its protocol to fail at a chosen command.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { BSON } from "mongodb";
import type { TestContext } from "../testing/start-servers.ts";
import { type Command, type Message, messages, replyTo, withCommand } from "./wire.ts";

/** What happens to one command. `code` stands for the server's error of that number. */
export type Fault =
  /** The connection ends before the server has the command. */
  | { kind: "cutBefore" }
  /** The server does it; its answer is lost with the connection. */
  | { kind: "loseAnswer" }
  /** The server does it; the connection ends in the middle of its answer. */
  | { kind: "cutAnswer" }
  /** The connection ends; the server has the command, and does it, only after this time. */
  | { kind: "deliverLate"; ms: number }
  /** The server does it, and says so only after this time. */
  | { kind: "late"; ms: number }
  /** The server says no and does nothing: a step-down (189, 91, 10107), a full disk (14031). */
  | { kind: "refuse"; code: number }
  /** The server does it and then says this instead: a primary that steps down behind a write. */
  | { kind: "doThenRefuse"; code: number }
  /** The server does it, but a majority has not confirmed it (64, or a step-down's code). */
  | { kind: "noMajority"; code: number }
  /** The first `done` documents of the command are stored, the next one is refused with this code. */
  | { kind: "refuseOne"; code: number; done: number }
  /** The server does it; its answer has these fields instead of its own. */
  | { kind: "say"; fields: BSON.Document };

export interface FaultyMongo {
  url: string;
  /**
   * The next `times` (1) such commands (`insert`, `update`, `find` …) on that collection fail so; `undefined`: on any, and
   * commands that have none (`ismaster`, `saslStart`).
   */
  inject(command: string, collection: string | undefined, fault: Fault, times?: number): void;
  /** How many injected faults have happened. */
  happened(): number;
  /** How many commands are still to be delivered late. */
  underWay(): number;
  /** Nobody gets through until it is taken back. */
  refuseAll(refuse: boolean): void;
  close(): Promise<void>;
}

type Rule = { command: string; collection: string | undefined; fault: Fault; left: number };

/** Passes everything on to the server of `url` (one host) until told otherwise; closed when the test ends. */
export async function startFaultyMongo(t: TestContext, url: string): Promise<FaultyMongo> {
  const { hostname, port } = new URL(url);
  const rules: Rule[] = [];
  const sockets = new Set<Socket>();
  // Their client is gone, and a command of it is still to come.
  const lingering = new Set<Socket>();
  let happened = 0;
  let refusing = false;

  function faultFor(command: Command | undefined): Fault | undefined {
    const [name = "", collection] = Object.entries(command ?? {})[0] ?? [];
    const fits = (rule: Rule) =>
      rule.command === name && (rule.collection === undefined || rule.collection === collection);
    const rule = rules.find((each) => each.left > 0 && fits(each));
    if (!rule) return undefined;
    rule.left -= 1;
    happened += 1;
    return rule.fault;
  }

  const server = createServer((client) => {
    if (refusing) return void client.on("error", () => {}).resetAndDestroy();
    const upstream = connect({ host: hostname, port: Number(port || 27017) });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        lingering.delete(socket);
        client.destroy();
        if (!lingering.has(upstream)) upstream.destroy();
      });
    }
    passWithFaults(client, upstream, { faultFor, lingering });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  t.after(close);
  const here = new URL(url);
  // A replica set would tell the driver its own address, and the driver would go there.
  here.searchParams.delete("replicaSet");
  here.searchParams.set("directConnection", "true");
  here.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: here.href,
    inject: (command, collection, fault, times = 1) => rules.push({ command, collection, fault, left: times }),
    happened: () => happened,
    refuseAll(refuse) {
      refusing = refuse;
      if (refuse) for (const socket of sockets) socket.destroy();
    },
    underWay: () => lingering.size,
    close,
  };
}

type Rules = { faultFor(command?: Command): Fault | undefined; lingering: Set<Socket> };

function passWithFaults(client: Socket, upstream: Socket, { faultFor, lingering }: Rules): void {
  // What awaits the answer to a request, by the request's id.
  const awaited = new Map<number, { fault: Fault; request: Message }>();
  client.on(
    "data",
    messages((message) => {
      const fault = faultFor(message.command);
      if (!fault) return upstream.write(message.bytes);
      if (fault.kind === "cutBefore") return client.resetAndDestroy();
      if (fault.kind === "deliverLate") {
        lingering.add(upstream);
        setTimeout(() => upstream.end(message.bytes), fault.ms).unref();
        return client.resetAndDestroy();
      }
      if (fault.kind === "refuse") return client.write(replyTo(message, failure(fault.code)));
      awaited.set(message.id, { fault, request: message });
      upstream.write(fault.kind === "refuseOne" ? shortened(message, fault.done) : message.bytes);
    }),
  );
  upstream.on(
    "data",
    messages((message) => {
      const waiting = awaited.get(message.to);
      if (!waiting) return client.write(message.bytes);
      awaited.delete(message.to);
      answer(client, message, waiting);
    }),
  );
}

function answer(client: Socket, message: Message, { fault, request }: { fault: Fault; request: Message }): void {
  const answered = message.command ?? {};
  switch (fault.kind) {
    case "loseAnswer":
      return void client.resetAndDestroy();
    case "cutAnswer":
      return void client.end(message.bytes.subarray(0, message.bytes.length >> 1), () => client.destroy());
    case "late":
      return void setTimeout(() => client.write(message.bytes), fault.ms).unref();
    case "doThenRefuse":
      return void client.write(replyTo(request, failure(fault.code)));
    case "noMajority": {
      const writeConcernError = { code: fault.code, errmsg: "injected" };
      return void client.write(replyTo(request, { ...answered, writeConcernError }));
    }
    case "say":
      return void client.write(replyTo(request, { ...answered, ...fault.fields }));
    case "refuseOne": {
      const writeErrors = [{ index: fault.done, code: fault.code, errmsg: "injected index: position" }];
      return void client.write(replyTo(request, { ok: 1, n: fault.done, writeErrors }));
    }
  }
}

function failure(code: number): BSON.Document {
  return { ok: 0, code, codeName: `Injected${code}`, errmsg: "injected" };
}

// The same command with only its first documents.
function shortened(request: Message, done: number): Buffer {
  const { command } = request;
  // A command without documents is an error: nothing is asked for by another one.
  const asked =
    done > 0 ? { ...command, documents: command?.documents?.slice(0, done) } : { ping: 1, $db: command?.$db };
  return withCommand(request, asked);
}
