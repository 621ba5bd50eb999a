// What docs/capacity.md is reckoned from: each figure with where it was measured. A new measurement changes one line here.

export interface Input {
  value: number;
  unit: string;
  what: string;
  source: string;
}

const cost = "`npm run bench -- --only cost`, 1,000 in flight";
const rooms = "[bench.md](bench.md#rooms), 1 → 100";
const partitions = "`npm run bench -- --only partitions`";
const connections = "[bench.md](bench.md#connections)";

export const inputs = {
  messages: { value: 100_000, unit: "/s", what: "messages", source: "what is wanted" },
  connections: { value: 1_000_000, unit: "", what: "connected devices", source: "what is wanted" },
  room: { value: 100, unit: "", what: "members of a room", source: "what is wanted" },
  busy: {
    value: 0.6,
    unit: "",
    what: "of a core that a process may use: the rest is for bursts and for the work of a replica that is away",
    source: "chosen",
  },
  backInSeconds: { value: 600, unit: "s", what: "in which all devices are back after a cut", source: "chosen" },

  mosquittoMicros: { value: 32, unit: "µs", what: "CPU of Mosquitto, a 1:1 message", source: cost },
  natsMicros: { value: 6.4, unit: "µs", what: "… NATS", source: cost },
  historyMicros: { value: 26.5, unit: "µs", what: "… history, on SQLite", source: cost },
  routerMicros: { value: 35.3, unit: "µs", what: "… router", source: cost },
  edgeMicros: { value: 22, unit: "µs", what: "… edge", source: cost },
  searchMicros: { value: 7.1, unit: "µs", what: "… search", source: cost },
  pushMicros: { value: 4.6, unit: "µs", what: "… push, with nobody to notify", source: cost },
  presenceMicros: { value: 1.3, unit: "µs", what: "… presence", source: cost },
  slowFactor: {
    value: 3,
    unit: "×",
    what: "CPU a message of all processes at 2,000 messages a second, where a batch holds few, by that at saturation (2 to 4)",
    source: cost,
  },

  mosquittoCopyMicros: { value: 20, unit: "µs", what: "CPU of Mosquitto, a copy in a room", source: rooms },
  natsCopyMicros: { value: 2, unit: "µs", what: "… NATS", source: rooms },
  historyCopyMicros: { value: 3.3, unit: "µs", what: "… history", source: rooms },
  routerCopyMicros: { value: 9.9, unit: "µs", what: "… router", source: rooms },
  edgeCopyMicros: { value: 9.5, unit: "µs", what: "… edge", source: "[bench.md](bench.md#the-edge-alone), a packet" },

  brokerBytes: { value: 1_498, unit: "bytes", what: "read and written by the broker, a 1:1 message", source: cost },
  natsBytes: { value: 1_225, unit: "bytes", what: "… by NATS", source: cost },
  logBytes: {
    value: 412,
    unit: "bytes",
    what: "on disk, a message of 100 bytes of text with its indexes",
    source: "[soak.md](soak.md): 988 MiB for 2.5 million",
  },
  referenceBytes: { value: 97, unit: "bytes", what: "of `STORED` on disk, a message", source: cost },
  walBytes: {
    value: 3_492,
    unit: "bytes",
    what: "written by history, a message: pages of the write-ahead log and checkpoints, sockets included",
    source: cost,
  },

  edgeKiB: {
    value: 9.6,
    unit: "KiB",
    what: "memory of the edge, a connection",
    source: "[bench.md](bench.md#the-edge-alone)",
  },
  mosquittoKiB: { value: 3.1, unit: "KiB", what: "… of Mosquitto", source: connections },
  redisKiB: { value: 0.9, unit: "KiB", what: "… of Redis", source: connections },
  presenceKiB: { value: 12, unit: "KiB", what: "… of presence", source: connections },
  authKiB: {
    value: 13.9,
    unit: "KiB",
    what: "… of auth-webhook, up to the 200,000 that it remembers",
    source: connections,
  },
  authRemembers: {
    value: 200_000,
    unit: "",
    what: "logins that an auth-webhook remembers at most",
    source: "[ARCHITECTURE.md](../ARCHITECTURE.md), bounds",
  },
  edgeConnections: { value: 20_000, unit: "", what: "connections of an edge", source: "`EDGE_MAX_CONNECTIONS`" },
  loginMicros: {
    value: 2_360,
    unit: "µs",
    what: "CPU of all processes and of the devices, a login",
    source: "[bench.md](bench.md#targets): 10,000 in 11.8 s on two cores",
  },
  loginsPerSecond: {
    value: 7_557,
    unit: "/s",
    what: "connects that one auth-webhook decides, by token",
    source: "[bench.md](bench.md#connections), hooks",
  },

  conversationTurnMicros: {
    value: 412,
    unit: "µs",
    what: "of Redis, a turn of a history's leases",
    source: "`INFO commandstats`, 16 idle histories",
  },
  ingestTurnMicros: { value: 149, unit: "µs", what: "… of a router's", source: "the same, 16 idle routers" },
  turnsPerSecond: {
    value: 2,
    unit: "/s",
    what: "turns of each replica",
    source: "`packages/runtime/src/leases/turns.ts`",
  },

  indexedPerSecond: {
    value: 12_200,
    unit: "/s",
    what: "messages that one search indexes from the log",
    source: "[bench.md](bench.md#search)",
  },
  machinePerSecond: {
    value: 10_660,
    unit: "/s",
    what: "1:1 messages on two cores, everything and its load generator on them",
    source: "[bench.md](bench.md#targets)",
  },

  hotPartition: {
    value: 0.0717,
    unit: "",
    what: "of all traffic in the hottest of 256 partitions, 1,000,000 conversations by Zipf 1",
    source: partitions,
  },
  hottestPartition: { value: 0.1905, unit: "", what: "… Zipf 1.2", source: partitions },
  evenSession: {
    value: 0.0631,
    unit: "",
    what: "of all traffic in the fullest of 16 sessions, 1,000,000 devices that send the same",
    source: partitions,
  },
  hotSession: { value: 0.1182, unit: "", what: "… devices by Zipf 1", source: partitions },
} satisfies Record<string, Input>;

export type InputName = keyof typeof inputs;
