// The least that a proxy in Node costs: two sockets a connection, and every byte goes through as it came.
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "@parley/testkit";
import { answerMemory, type MeasuredProcess, startMeasured } from "./measured-process.ts";

export async function startPassThrough(
  scope: { after(fn: () => unknown): void },
  brokerPort: number,
): Promise<MeasuredProcess> {
  const port = await freePort();
  const args = [String(port), String(brokerPort)];
  return startMeasured(scope, { file: import.meta.filename, args, env: {}, port, profile: false });
}

function serve(port: number, brokerPort: number): void {
  const pass = (from: Socket, to: Socket): void => {
    from.on("data", (chunk) => to.write(chunk));
    from.on("error", () => from.destroy());
    from.on("close", () => to.destroy());
  };
  const server = createServer({ noDelay: true }, (device) => {
    const broker = connect({ port: brokerPort, host: "127.0.0.1", noDelay: true });
    pass(device, broker);
    pass(broker, device);
  });
  server.listen(port, "127.0.0.1");
  process.once("SIGTERM", () => process.exit(0));
}

if (import.meta.main) {
  answerMemory();
  serve(Number(process.argv[2]), Number(process.argv[3]));
}
