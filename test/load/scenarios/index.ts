// The scenarios by name, in the order they are run.
import type { Scenario } from "../scenario.ts";
import { connections } from "./connections.ts";
import { cost } from "./cost.ts";
import { dialects } from "./dialects.ts";
import { engines } from "./engines.ts";
import { fanOut } from "./fan-out.ts";
import { files } from "./files.ts";
import { flood } from "./flood.ts";
import { handOver } from "./hand-over.ts";
import { hooks } from "./hooks.ts";
import { list } from "./list.ts";
import { pairs } from "./pairs.ts";
import { partitions } from "./partitions.ts";
import { presence } from "./presence.ts";
import { push } from "./push.ts";
import { pushChat } from "./push-chat.ts";
import { replicas, replicasMongo } from "./replicas.ts";
import { rooms } from "./rooms.ts";
import { search } from "./search.ts";
import { size } from "./size.ts";
import { start } from "./start.ts";
import { sync } from "./sync.ts";

export const scenarios = {
  pairs,
  cost,
  dialects,
  hooks,
  rooms,
  "fan-out": fanOut,
  sync,
  list,
  start,
  connections,
  files,
  flood,
  search,
  size,
  presence,
  push,
  "push-chat": pushChat,
  engines,
  replicas,
  "replicas-mongo": replicasMongo,
  partitions,
  "hand-over": handOver,
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;
export const scenarioNames = Object.keys(scenarios) as ScenarioName[];
