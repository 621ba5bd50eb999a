// The process of push: settings in, one service, a signal out.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startPush } from "./service.ts";

await runMain({ settings, start: startPush, process });
