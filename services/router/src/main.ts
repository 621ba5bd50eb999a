// The process of a router: settings in, one service, a signal out.
import { countBuffersAsHeap, runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startRouter } from "./service.ts";

countBuffersAsHeap(process.versions.node);
await runMain({ settings, start: startRouter, process });
