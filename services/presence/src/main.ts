// The process of presence: settings in, one service, a signal out.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startPresence } from "./service.ts";

await runMain({ settings, start: startPresence, process });
