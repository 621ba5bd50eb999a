// A proxy before a MongoDB server that understands just enough of its protocol to fail at a chosen command.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { BSON } from "mongodb";
import type { TestContext } from "../start-servers.ts";

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
  | { kind: "refuseOne"; code: number; done: number };

export interface FaultyMongo {
  url: string;
  /** The next `times` (1) such commands (`insert`, `update`, `find` …) on that collection fail so. */
  inject(command: string, collection: string, fault: Fault, times?: number): void;
  /** How many injected faults have happened. */
  happened(): number;
  /** How many commands are still to be delivered late. */
  underWay(): number;
  close(): Promise<void>;
}

type Command = BSON.Document & { documents?: BSON.Document[] };
type Rule = { command: string; collection: string; fault: Fault; left: number };
type Message = { bytes: Buffer; id: number; command: Command | undefined };

const opMsg = 2013;

/** Passes everything on to the server of `url` (one host) until told otherwise; closed when the test ends. */
export async function startFaultyMongo(t: TestContext, url: string): Promise<FaultyMongo> {
  const { hostname, port } = new URL(url);
  const rules: Rule[] = [];
  const sockets = new Set<Socket>();
  // Their client is gone, and a command of it is still to come.
  const lingering = new Set<Socket>();
  let happened = 0;

  function faultFor(command: Command | undefined): Fault | undefined {
    const [name = "", collection] = Object.entries(command ?? {})[0] ?? [];
    const rule = rules.find((each) => each.left > 0 && each.command === name && each.collection === collection);
    if (!rule) return undefined;
    rule.left -= 1;
    happened += 1;
    return rule.fault;
  }

  const server = createServer((client) => {
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
  here.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: here.href,
    inject: (command, collection, fault, times = 1) => rules.push({ command, collection, fault, left: times }),
    happened: () => happened,
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
      if (fault.kind === "refuse") return client.write(reply(message.id, failure(fault.code)));
      awaited.set(message.id, { fault, request: message });
      upstream.write(fault.kind === "refuseOne" ? shortened(message, fault.done) : message.bytes);
    }),
  );
  upstream.on(
    "data",
    messages((message) => {
      const id = message.bytes.readInt32LE(8);
      const waiting = awaited.get(id);
      if (!waiting) return client.write(message.bytes);
      awaited.delete(id);
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
      return void client.write(reply(request.id, failure(fault.code)));
    case "noMajority": {
      const writeConcernError = { code: fault.code, errmsg: "injected" };
      return void client.write(reply(request.id, { ...answered, writeConcernError }));
    }
    case "refuseOne": {
      const writeErrors = [{ index: fault.done, code: fault.code, errmsg: "injected index: position" }];
      return void client.write(reply(request.id, { ok: 1, n: fault.done, writeErrors }));
    }
  }
}

function failure(code: number): BSON.Document {
  return { ok: 0, code, codeName: `Injected${code}`, errmsg: "injected" };
}

// The same command with only its first documents.
function shortened({ bytes, command }: Message, done: number): Buffer {
  const documents = command?.documents?.slice(0, done) ?? [];
  // A command without documents is an error: nothing done is asked for by counting.
  const asked = done > 0 ? { ...command, documents } : { ping: 1, $db: command?.$db };
  return Buffer.concat([header(bytes.readInt32LE(4), 0), payload(asked)].map(withLength));
}

function reply(to: number, document: BSON.Document): Buffer {
  return Buffer.concat([header(0, to), payload(document)].map(withLength));
}

// messageLength requestID responseTo opCode flagBits: the length is set when the whole is put together.
function header(id: number, to: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeInt32LE(id, 4);
  bytes.writeInt32LE(to, 8);
  bytes.writeInt32LE(opMsg, 12);
  return bytes;
}

function payload(document: BSON.Document): Buffer {
  return Buffer.concat([Buffer.of(0), BSON.serialize(document)]);
}

function withLength(part: Buffer, at: number, [head, body]: Buffer[]): Buffer {
  if (at === 0) part.writeInt32LE((head?.length ?? 0) + (body?.length ?? 0), 0);
  return part;
}

// Cuts the stream into messages. Of OP_MSG the command is read: the section of kind 0.
function messages(take: (message: Message) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const bytes = rest.subarray(0, rest.readInt32LE(0));
      rest = rest.subarray(bytes.length);
      const readable = bytes.readInt32LE(12) === opMsg && bytes[20] === 0;
      take({ bytes, id: bytes.readInt32LE(4), command: readable ? readCommand(bytes.subarray(21)) : undefined });
    }
  };
}

function readCommand(bytes: Buffer): Command {
  return BSON.deserialize(bytes.subarray(0, bytes.readInt32LE(0)), { promoteBuffers: true });
}
