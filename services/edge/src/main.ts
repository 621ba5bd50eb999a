// The edge's process.
import { countBuffersAsHeap, runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startEdge } from "./service.ts";

countBuffersAsHeap(process.versions.node);
await runMain({ settings, start: startEdge, process });
