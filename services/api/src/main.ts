import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startApi } from "./service.ts";

await runMain({ settings, start: startApi, process });
