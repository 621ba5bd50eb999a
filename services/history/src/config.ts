// What history can be told by its environment.
import { type Config, defineSettings } from "@parley/runtime";
import Type from "typebox";

export const settings = defineSettings({
  service: "history",
  prefix: "HISTORY",
  shared: ["NATS_URL", "REDIS_URL", "STORE_URL", "DIRECT_MESSAGES"],
  own: {
    HISTORY_CONVERSATIONS: Type.Integer({
      default: 20_000,
      minimum: 100,
      description: "conversations kept in memory, the least recently used go first",
    }),
    HISTORY_FOLD_MS: Type.Integer({
      default: 5_000,
      minimum: 10,
      description: "how long what senders sent may wait to be folded into their member documents (ms)",
    }),
    HISTORY_ANNOUNCE_MS: Type.Integer({
      default: 250,
      minimum: 0,
      description: "how long references to stored messages gather before they are announced (ms)",
    }),
  },
});

export type HistoryConfig = Config<typeof settings>;
