// A service for the tests of runMain: what DEMO_MODE says is what goes wrong.
import { AppError } from "@parley/protocol";
import { ConfigError, defineSettings, runMain } from "@parley/runtime";
import { Type } from "typebox";

const settings = defineSettings({
  service: "demo",
  prefix: "DEMO",
  shared: ["NATS_URL"],
  own: {
    DEMO_MODE: Type.String({ default: "well", description: "what goes wrong" }),
    DEMO_WINDOW: Type.Integer({ default: 1000, minimum: 1, description: "packets in hand (packets)" }),
    DEMO_KEY: Type.Optional(Type.String({ minLength: 8, secret: true, description: "a secret" })),
  },
});

async function fail(): Promise<never> {
  throw new TypeError("x is not a function");
}

await runMain({
  settings,
  process,
  async start(config, { log, closing }) {
    const mode = config.DEMO_MODE;
    if (mode === "refuse") throw new AppError("unavailable", "the store is locked by another process");
    if (mode === "half a pair") throw new ConfigError(["DEMO_WINDOW is required with DEMO_KEY"]);
    if (mode === "bug at start") throw new TypeError("x is not a function");
    if (mode === "never starts") await new Promise(() => setInterval(() => {}, 1000));
    if (mode === "unhandled_rejection") setTimeout(() => void Promise.all([fail(), fail()]), 10);
    if (mode === "uncaught_exception")
      setTimeout(() => {
        throw new TypeError("x is not a function");
      }, 10);
    log.info({ event: "demo", window: config.DEMO_WINDOW });
    return {
      async close() {
        if (mode === "hang") await closing("sessions", () => new Promise(() => setInterval(() => {}, 1000)));
        if (mode === "fail to close") throw new Error("not closed");
        log.info({ event: "demo_closed" });
      },
    };
  },
});
