// The process of a router: settings in, one service, a signal out.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startRouter } from "./service.ts";

await runMain({ settings, start: startRouter, process });
