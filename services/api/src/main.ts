import { countBuffersAsHeap, runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startApi } from "./service.ts";

countBuffersAsHeap(process.versions.node);
await runMain({ settings, start: startApi, process });
