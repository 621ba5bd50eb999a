// What search can be told by its environment.
import { type Config, defineSettings } from "@parley/runtime";
import Type from "typebox";

export const settings = defineSettings({
  service: "search",
  prefix: "SEARCH",
  shared: ["NATS_URL", "STORE_URL"],
  own: {
    SEARCH_READABLE_MS: Type.Integer({
      default: 5_000,
      minimum: 0,
      maximum: 60_000,
      description:
        "how long it is remembered which conversations a user may read; each message found is checked anyway (ms)",
    }),
  },
});

export type SearchConfig = Config<typeof settings>;
