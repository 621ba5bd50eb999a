// The process of search: settings in, one service, a signal out.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startSearch } from "./service.ts";

await runMain({ settings, start: startSearch, process });
