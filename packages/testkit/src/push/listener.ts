// A TLS server that can be taken away: its port, its sockets, and their end.
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import type { Server } from "node:tls";
import type { TestContext } from "../testing/start-servers.ts";

export interface Listener {
  url: string;
  port: number;
  /** Connections that are open, and those that there were so far. */
  open(): number;
  opened(): number;
  /** All connections end: by FIN, or by RST. */
  cut(how?: "fin" | "rst"): void;
  /** Nobody can connect until `up`, at the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Listens on the loopback address, and ends with the test. */
export async function openListener(t: TestContext, server: Server, port = 0): Promise<Listener> {
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on("connection", (socket: Socket) => {
    opened++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  });
  // A client that does not trust us, or is not let in: it sees that itself.
  server.on("tlsClientError", () => undefined);
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
  };
  const down = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(port);
  t.after(() => (server.listening ? down() : undefined));
  const { port: given } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${given}`,
    port: given,
    open: () => sockets.size,
    opened: () => opened,
    cut(how = "fin") {
      for (const socket of sockets) {
        if (how === "fin") socket.destroy();
        else socket.resetAndDestroy();
      }
    },
    down,
    up: () => listen(given),
  };
}
