// Load on the hooks over real HTTP: keep-alive connections on plain sockets, each one request at a time.
import { connect, type Socket } from "node:net";

export interface HookLoad {
  /** base of auth-webhook's hooks */
  url: string;
  hookSecret: string;
  /** the `vernemq-hook` header and the bodies, sent in turn */
  hook: string;
  bodies: readonly object[];
  connections: number;
  seconds: number;
}

export interface HookFigures {
  hook: string;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** answers that were not `{"result":"ok"…}` */
  refused: number;
}

const warmUpMs = 1000;

/** Closed loop: every connection asks again as soon as it is answered. Rejects when a connection is lost. */
export async function runHookLoad(load: HookLoad): Promise<HookFigures> {
  const requests = load.bodies.map((body) => requestBytes(load, JSON.stringify(body)));
  const latencies: number[] = [];
  let refused = 0;
  let turn = 0;
  const startedAt = performance.now() + warmUpMs;
  const endsAt = startedAt + load.seconds * 1000;
  const { hostname, port } = new URL(load.url);
  await Promise.all(
    Array.from({ length: load.connections }, () =>
      ask(connect({ host: hostname, port: Number(port), noDelay: true }), {
        next: () => (performance.now() < endsAt ? requests[turn++ % requests.length] : undefined),
        answered(body, sentAt) {
          if (sentAt < startedAt) return;
          latencies.push(performance.now() - sentAt);
          if (!body.startsWith('{"result":"ok"')) refused += 1;
        },
      }),
    ),
  );
  latencies.sort((a, b) => a - b);
  const at = (share: number) => Number((latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2));
  const perSecond = Math.round(latencies.length / load.seconds);
  return { hook: load.hook, perSecond, p50Ms: at(0.5), p99Ms: at(0.99), refused };
}

function requestBytes({ url, hookSecret, hook }: HookLoad, body: string): Buffer {
  const lines = [
    `POST /vernemq/${hookSecret} HTTP/1.1`,
    `host: ${new URL(url).host}`,
    "content-type: application/json",
    `vernemq-hook: ${hook}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

interface Asking {
  /** undefined: enough */
  next(): Buffer | undefined;
  answered(body: string, sentAt: number): void;
}

function ask(socket: Socket, { next, answered }: Asking): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = "";
    let sentAt = 0;
    let done = false;
    const send = () => {
      const request = next();
      sentAt = performance.now();
      if (request) return void socket.write(request);
      done = true;
      socket.end();
      resolve();
    };
    socket.setEncoding("latin1");
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => done || reject(new Error("the connection was closed")));
    socket.on("data", (part: string) => {
      received += part;
      const head = received.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(received.slice(0, head))?.[1]);
      const end = head + 4 + length;
      if (received.length < end) return;
      const body = received.slice(head + 4, end);
      received = received.slice(end);
      answered(body, sentAt);
      send();
    });
  });
}
