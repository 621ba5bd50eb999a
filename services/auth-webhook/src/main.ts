// The process of auth-webhook: settings in, one service, a signal out.
import { runMain } from "@parley/runtime";
import { settings } from "./config.ts";
import { startAuthWebhook } from "./service.ts";

await runMain({ settings, start: startAuthWebhook, process });
