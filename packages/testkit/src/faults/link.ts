// A TCP proxy whose connections can be cut, delayed, starved and robbed of their answers: a network that misbehaves.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Lane, type Mode, startLane } from "./lane.ts";

/** `requests` go to the target, `answers` come from it. */
export type Direction = "both" | "requests" | "answers";

/** Every mode is for the connections there are and for those to come, until another one is set or all `pass`. */
export interface Link {
  /** where it listens, on 127.0.0.1 */
  port: number;
  /** connections open at this moment */
  connections(): number;
  /** All is well again. Connections that have lost bytes are reset: nothing goes on behind a hole. */
  pass(): void;
  /** RST on every connection, and on every new one. */
  cut(): void;
  /** Everything takes this much longer. */
  delay(ms: number, direction?: Direction): void;
  /** Accepts, forwards nothing, closes nothing. What was sent meanwhile goes on after `pass`, as after a partition. */
  halfOpen(direction?: Direction): void;
  /** A few bytes at a time. */
  drip(bytesPerSecond: number, direction?: Direction): void;
  /** Requests go through and are done, their answers vanish; end it with `cut` and `pass`. */
  dropAnswers(): void;
  close(): Promise<void>;
}

interface Connection {
  sockets: [Socket, Socket];
  lanes: [Lane, Lane];
}

/** Listens on a free port of 127.0.0.1 and connects each who comes to `target` there. */
export async function startLink(target: number | { host: string; port: number }): Promise<Link> {
  const to = typeof target === "number" ? { host: "127.0.0.1", port: target } : target;
  const modes: { requests: Mode; answers: Mode } = { requests: { kind: "pass" }, answers: { kind: "pass" } };
  const connections = new Set<Connection>();
  let refusing = false;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on("error", () => {});
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect({ ...to, allowHalfOpen: true, noDelay: true });
    const lanes: Connection["lanes"] = [
      startLane(client, upstream, () => modes.requests),
      startLane(upstream, client, () => modes.answers),
    ];
    const connection: Connection = { sockets: [client, upstream], lanes };
    connections.add(connection);
    for (const socket of connection.sockets)
      socket.on(
        "close",
        () => connection.sockets.every(({ destroyed }) => destroyed) && connections.delete(connection),
      );
  });

  function set(mode: Mode, direction: Direction = "both"): void {
    refusing = false;
    if (direction !== "answers") modes.requests = mode;
    if (direction !== "requests") modes.answers = mode;
    for (const { lanes, sockets } of connections) {
      const holed = lanes.some((lane) => lane.lossy()) && modes.answers.kind !== "drop";
      for (const socket of holed ? sockets : []) socket.resetAndDestroy();
      for (const lane of lanes) lane.changed();
    }
  }

  function reset(): void {
    for (const { sockets } of connections) for (const socket of sockets) socket.resetAndDestroy();
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections.size,
    pass: () => set({ kind: "pass" }),
    cut() {
      // What waits in the link is lost with its connections.
      reset();
      set({ kind: "pass" });
      refusing = true;
    },
    delay: (ms, direction) => set({ kind: "delay", ms }, direction),
    halfOpen: (direction) => set({ kind: "hold" }, direction),
    drip: (bytesPerSecond, direction) => set({ kind: "drip", bytesPerSecond }, direction),
    dropAnswers() {
      set({ kind: "pass" }, "requests");
      set({ kind: "drop" }, "answers");
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      reset();
      await closed;
    },
  };
}
