// The process of history: settings in, one service, a signal out.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startHistory } from "./service.ts";

await runMain({ settings, start: startHistory, process });
