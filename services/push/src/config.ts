// What push can be told by its environment.
import { type Config, defineSettings } from "@parley/runtime";
import Type from "typebox";
import { providerSettings } from "./providers/settings.ts";

export const settings = defineSettings({
  service: "push",
  prefix: "PUSH",
  shared: ["NATS_URL", "REDIS_URL", "STORE_URL"],
  own: {
    PUSH_DELAY_MS: Type.Integer({
      default: 2_000,
      minimum: 0,
      maximum: 60_000,
      description:
        "how long a message may be read before devices that are away are notified (ms); a call waits for nothing",
    }),
    PUSH_TTL_SECONDS: Type.Integer({
      default: 86_400,
      minimum: 60,
      maximum: 2_419_200,
      description: "how long a notification is of use: one that could not be sent by then is not sent (s)",
    }),
    ...providerSettings,
    PUSH_APP_ID: Type.Optional(
      Type.String({
        pattern: "^[0-9A-Za-z][0-9A-Za-z.\\-]{0,127}$",
        expects: "a bundle id like com.example.chat",
        description: "the app of devices that name none when they register, as those of other protocols do",
      }),
    ),
    PUSH_VAPID_KEY: Type.Optional(
      Type.String({
        secret: true,
        description: "private key for Web Push, 32 bytes as base64url; else the secret file vapid-key",
      }),
    ),
  },
});

export type PushConfig = Config<typeof settings>;
