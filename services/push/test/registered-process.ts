// A process that has push's tokens and settings, and nothing else of push: it can be killed.
import { connectNats, createPass } from "@parley/runtime";
import { openStore } from "@parley/store";
import { serviceContext } from "@parley/testkit";
import { openRegistered } from "../src/registered.ts";

const { NATS_URL: url = "", STORE_URL: storeUrl = "", CRASH_AT: crashAt } = process.env;
const { log } = serviceContext("push");
const pass = createPass(crashAt as Parameters<typeof createPass>[0], () => process.kill(process.pid, "SIGKILL"));
const store = await openStore(storeUrl, { service: "push" });
const nats = await connectNats({ url, name: "push", log });
const registered = await openRegistered({ documents: store.documents(), nats, vapidPublicKey: "key", pass, log });
registered.serve("push");
await nats.flush();
process.on("disconnect", () => process.exit());
const ready = setInterval(() => {
  if (registered.tokens.areSound() !== true) return;
  clearInterval(ready);
  process.send?.("sound");
}, 5);
