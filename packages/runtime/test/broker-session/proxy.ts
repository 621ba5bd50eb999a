// A TCP proxy before a real broker: it writes down every packet of both directions, and can let single bytes drip.
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import mqttPacket, { type Packet } from "mqtt-packet";

export type Proxy = { url: string; fromClient: Packet[]; fromBroker: Packet[]; both: Passed[] };

export type Passed = { from: "client" | "broker"; packet: Packet };

export async function startProxy(t: TestContext, port: number, how: { drip: boolean }): Promise<Proxy> {
  const both: Passed[] = [];
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const broker = connect(port, "127.0.0.1");
    sockets.push(client, broker);
    pass(client, broker, recorder(both, "client"), how.drip);
    pass(broker, client, recorder(both, "broker"), how.drip);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const from = (side: Passed["from"]) => both.filter((passed) => passed.from === side).map(({ packet }) => packet);
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    both,
    get fromClient() {
      return from("client");
    },
    get fromBroker() {
      return from("broker");
    },
  };
}

function recorder(both: Passed[], from: Passed["from"]): (bytes: Buffer) => void {
  const parser = mqttPacket.parser({ protocolVersion: 5 });
  parser.on("packet", (packet) => both.push({ from, packet }));
  return (bytes) => parser.parse(bytes);
}

function pass(from: Socket, to: Socket, record: (bytes: Buffer) => void, drip: boolean): void {
  const waiting: Buffer[] = [];
  let dripping = false;
  const dropByDrop = () => {
    const bytes = waiting.shift();
    dripping = bytes !== undefined;
    if (!bytes) return;
    if (bytes.length > 1) waiting.unshift(bytes.subarray(1));
    to.write(bytes.subarray(0, 1), () => setImmediate(dropByDrop));
  };
  to.setNoDelay(true);
  from.on("data", (bytes) => {
    record(bytes);
    if (!drip) to.write(bytes);
    else {
      waiting.push(bytes);
      if (!dripping) dropByDrop();
    }
  });
  from.on("error", () => undefined);
  from.on("close", () => to.destroy());
}
