// The tables of docs/capacity.md, by the names that the page marks them with.
import { type Input, type InputName, inputs } from "./inputs.ts";
import { cores, type Figures, figuresOf, fullAt, gigabytes, processes, terabytesADay } from "./reckon.ts";

type Row = readonly (string | number)[];

export function capacityTables(given: Readonly<Record<InputName, Input>> = inputs): Record<string, string> {
  const figures = figuresOf(given);
  return {
    inputs: table(
      ["name", "value", "what", "from"],
      Object.entries(given).map(([name, { value, unit, what, source }]) => [
        `\`${name}\``,
        `${whole(value)} ${unit}`.trim(),
        what,
        source,
      ]),
    ),
    cores: coresTable(figures),
    connections: connectionsTable(figures),
    bytes: bytesTable(figures),
    limits: limitsTable(figures),
  };
}

interface Part {
  name: string;
  /** there is only one process of it */
  single?: true;
  micros: number;
  copyMicros: number;
}

function partsOf(of: Figures): Part[] {
  return [
    { single: true, name: "Mosquitto, one thread", micros: of.mosquittoMicros, copyMicros: of.mosquittoCopyMicros },
    { name: "edge", micros: of.edgeMicros, copyMicros: of.edgeCopyMicros },
    { name: "router", micros: of.routerMicros, copyMicros: of.routerCopyMicros },
    { name: "history", micros: of.historyMicros, copyMicros: of.historyCopyMicros },
    { name: "NATS, many threads", micros: of.natsMicros, copyMicros: of.natsCopyMicros },
    { name: "search", micros: of.searchMicros, copyMicros: 0 },
    { name: "push", micros: of.pushMicros, copyMicros: 0 },
    { name: "presence", micros: of.presenceMicros, copyMicros: 0 },
  ];
}

function coresTable(of: Figures): string {
  const { messages, room, busy } = of;
  const rows = partsOf(of).map(({ name, single, micros, copyMicros }): Row => {
    const direct = cores(messages, micros);
    const copies = cores(messages, copyMicros);
    return [
      name,
      micros,
      direct.toFixed(1),
      single && direct > busy ? "one is too few" : processes(direct, busy),
      copyMicros || "–",
      copyMicros ? copies.toFixed(1) : "–",
      copyMicros ? (copies * room).toFixed(0) : "–",
    ];
  });
  const said = whole(messages);
  return table(
    [
      "",
      "µs a 1:1 message",
      `cores, ${said} 1:1 messages/s`,
      "processes",
      `µs a copy in rooms of ${room}`,
      `cores, ${said} copies/s`,
      `cores, ${said} messages/s in such rooms`,
    ],
    rows,
  );
}

function connectionsTable(of: Figures): string {
  const { connections, backInSeconds } = of;
  const logins = connections / backInSeconds;
  const auth = Math.max(2, Math.ceil(logins / (of.busy * of.loginsPerSecond)));
  const memory = (kiB: number, count = connections) => `${gigabytes(count * kiB * 1_024).toFixed(1)} GB`;
  const held = Math.min(connections, auth * of.authRemembers);
  return table(
    ["", "of each", `of ${whole(connections)} devices`],
    [
      [
        "edge",
        `${of.edgeKiB} KiB, ${whole(of.edgeConnections)} a process`,
        `${memory(of.edgeKiB)} in ${Math.ceil(connections / of.edgeConnections)} processes`,
      ],
      ["Mosquitto", `${of.mosquittoKiB} KiB`, `${memory(of.mosquittoKiB)} in one process`],
      ["Redis", `${of.redisKiB} KiB`, memory(of.redisKiB)],
      ["presence", `${of.presenceKiB} KiB`, `${memory(of.presenceKiB)}, all replicas together`],
      [
        "auth-webhook",
        `${of.authKiB} KiB`,
        `${memory(of.authKiB, held)} in ${auth} processes, which remember ${whole(held)} logins`,
      ],
      [
        "all back in",
        `${backInSeconds} s`,
        `${whole(Math.round(logins))} logins/s: ${cores(logins, of.loginMicros).toFixed(1)} cores of everything together`,
      ],
    ],
  );
}

const referenceDays = 7;
const copiesOfStore = 3;

function bytesTable(of: Figures): string {
  const { messages } = of;
  const megabits = (bytes: number) => `${((messages * bytes * 8) / 1e6).toFixed(0)} Mbit/s`;
  const log = terabytesADay(messages, of.logBytes);
  const references = terabytesADay(messages, of.referenceBytes) * referenceDays;
  const histories = processes(cores(messages, of.historyMicros), of.busy);
  const turns = cores(of.turnsPerSecond, histories * of.conversationTurnMicros + 16 * of.ingestTurnMicros);
  return table(
    ["", "a message", `at ${whole(messages)} 1:1 messages/s`],
    [
      [
        "the log on disk",
        `${of.logBytes} bytes`,
        `${((messages * of.logBytes) / 1e6).toFixed(0)} MB/s, ${log.toFixed(1)} TB a day, ${(log * copiesOfStore).toFixed(1)} TB in ${copiesOfStore} copies`,
      ],
      [
        `\`STORED\`, kept ${referenceDays} days`,
        `${of.referenceBytes} bytes`,
        `${references.toFixed(1)} TB in each NATS that has the stream`,
      ],
      [
        "history writes, sockets included",
        `${whole(of.walBytes)} bytes`,
        `${((messages * of.walBytes) / 1e6).toFixed(0)} MB/s`,
      ],
      ["the broker's network, both ways", `${whole(of.brokerBytes)} bytes`, megabits(of.brokerBytes)],
      ["NATS' network, both ways", `${whole(of.natsBytes)} bytes`, megabits(of.natsBytes)],
      [
        "Redis, leases",
        "nothing",
        `${(100 * turns).toFixed(1)} % of a core for the turns of ${histories} histories and 16 routers`,
      ],
    ],
  );
}

function limitsTable(of: Figures): string {
  const limits: { at: number; what: string; unit: string; why: string }[] = [
    {
      at: of.machinePerSecond,
      unit: "messages/s",
      what: "one machine of two cores",
      why: "everything and the load on it; measured",
    },
    {
      at: of.indexedPerSecond,
      unit: "messages/s",
      what: "search on SQLite",
      why: "one process; behind it search lags, nothing else does",
    },
    { at: fullAt(of.mosquittoMicros), unit: "messages/s", what: "Mosquitto", why: "one thread" },
    { at: fullAt(of.historyMicros), unit: "messages/s", what: "history on SQLite", why: "one process has the file" },
    { at: fullAt(of.mosquittoCopyMicros), unit: "copies/s", what: "Mosquitto, rooms", why: "one thread" },
    {
      at: fullAt(of.routerCopyMicros),
      unit: "copies/s",
      what: "one room",
      why: "its copies go out on one session of one router",
    },
    { at: fullAt(of.historyMicros), unit: "messages/s", what: "one conversation", why: "one writer" },
    { at: fullAt(of.routerMicros), unit: "messages/s", what: "all devices of one `p`", why: "one router" },
    {
      at: fullAt(of.historyMicros, of.hottestPartition),
      unit: "messages/s",
      what: "256 partitions, conversations by Zipf 1.2",
      why: "the writer of the hottest",
    },
    {
      at: fullAt(of.historyMicros, of.hotPartition),
      unit: "messages/s",
      what: "256 partitions, Zipf 1",
      why: "the writer of the hottest",
    },
    {
      at: fullAt(of.routerMicros, of.hotSession),
      unit: "messages/s",
      what: "16 sessions, devices by Zipf 1",
      why: "the router of the fullest",
    },
    {
      at: fullAt(of.routerMicros, of.evenSession),
      unit: "messages/s",
      what: "16 sessions, devices that send the same",
      why: "16 routers",
    },
    {
      at: fullAt(of.routerCopyMicros, of.evenSession),
      unit: "copies/s",
      what: "16 sessions, many rooms",
      why: "16 routers",
    },
  ];
  return table(
    ["full at", "", "what", "why"],
    limits.toSorted((a, b) => a.at - b.at).map(({ at, unit, what, why }) => [rounded(at), unit, what, why]),
  );
}

/** Two digits that matter, in thousands. */
function rounded(value: number): string {
  return whole(Number(value.toPrecision(2)));
}

function whole(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 4 });
}

function table(head: readonly string[], rows: readonly Row[]): string {
  return [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}
