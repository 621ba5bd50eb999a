// The edge's process.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startEdge } from "./service.ts";

await runMain({ settings, start: startEdge, process });
