// What push can be told by its environment.
import { type Config, defineSettings } from "@parley/runtime";

export const settings = defineSettings({
  service: "push",
  prefix: "PUSH",
  shared: ["NATS_URL", "STORE_URL"],
  own: {},
});

export type PushConfig = Config<typeof settings>;
