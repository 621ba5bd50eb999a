// A process full of devices, told what to do by the bench: one process has not enough file descriptors for all.
import { type CrowdDevice, type CrowdLogin, createDevice } from "./device.ts";

/** `connect`: one after the other, `together` at a time. `cut`: drop them all. `await`: somebody else cuts them. */
export type Order =
  | { do: "connect"; devices: readonly CrowdLogin[]; together: number }
  | { do: "cut" }
  | { do: "await" }
  | { do: "close" };

/** When everybody of this process is connected and subscribed (again); ms. */
export interface Report {
  /** of the attempts that succeeded: from the TCP connect to the SUBACK */
  logins: number[];
  /** from the order (or the cut) until the device was back */
  back: number[];
  /** MQTT's return code → how often */
  refused: Record<number, number>;
  closed: number;
}

const pingEveryMs = 40_000;
const retryMs = 1_000;
let devices: CrowdDevice[] = [];
let report: Report = emptyReport();
let missing = 0;
let reconnecting = false;

process.on("message", (order: Order) => void obey(order));
process.on("disconnect", () => process.exit());
setInterval(() => {
  for (const device of devices) device.ping();
}, pingEveryMs);

async function obey(order: Order): Promise<void> {
  if (order.do === "close") process.exit();
  report = emptyReport();
  if (order.do === "connect") return connectAll(order.devices, order.together);
  missing = devices.length;
  reconnecting = true;
  if (order.do === "cut") for (const device of devices) device.cut();
}

async function connectAll(logins: readonly CrowdLogin[], together: number): Promise<void> {
  devices = logins.map(createDevice);
  missing = devices.length;
  reconnecting = false;
  const left = [...devices];
  const one = async () => {
    for (let device = left.pop(); device; device = left.pop()) await connectOne(device, performance.now());
  };
  await Promise.all(Array.from({ length: together }, one));
}

// As stock clients do: at once, and after a refusal again when a second or two have passed.
async function connectOne(device: CrowdDevice, since: number): Promise<void> {
  for (;;) {
    const attempt = await device.connect(() => {
      if (reconnecting) void connectOne(device, performance.now());
    });
    if (attempt === "closed") report.closed += 1;
    else if ("refused" in attempt) report.refused[attempt.refused] = (report.refused[attempt.refused] ?? 0) + 1;
    else {
      report.logins.push(attempt.readyMs);
      report.back.push(performance.now() - since);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs * (1 + Math.random())));
  }
  missing -= 1;
  if (missing === 0) process.send?.(report);
}

function emptyReport(): Report {
  return { logins: [], back: [], refused: {}, closed: 0 };
}
