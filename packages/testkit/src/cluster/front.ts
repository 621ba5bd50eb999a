// One port for several replicas: TCP connections go to them in turn, past those that do not answer.
import { connect, createServer, type Socket } from "node:net";

export type Front = { close(): Promise<void> };

/** Only for `PARLEY_REPLICAS`: with one replica its own port is the public one, with no hop in between. */
export async function startFront(port: number, targets: readonly number[]): Promise<Front> {
  const sockets = new Set<Socket>();
  let next = 0;
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    keep(client);
    next += 1;
    pass(client, [...targets.slice(next % targets.length), ...targets.slice(0, next % targets.length)]);
  });

  function pass(client: Socket, [target, ...others]: number[]): void {
    if (target === undefined || client.destroyed) return void client.destroy();
    const upstream = connect({ port: target, host: "127.0.0.1", noDelay: true });
    const tryOthers = () => pass(client, others);
    upstream.once("error", tryOthers);
    upstream.once("connect", () => {
      upstream.off("error", tryOthers);
      keep(upstream);
      client.pipe(upstream).pipe(client);
      client.once("close", () => upstream.destroy());
      upstream.once("close", () => client.destroy());
    });
  }

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1" }, resolve);
  });
  return {
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
