// What presence can be told by its environment.
import { type Config, defineSettings } from "@parley/runtime";
import Type from "typebox";
import { type BrokerName, brokers } from "./brokers/table.ts";

const brokerNames = Object.keys(brokers) as BrokerName[];

export const settings = defineSettings({
  service: "presence",
  prefix: "PRESENCE",
  shared: ["NATS_URL", "REDIS_URL", "STORE_URL"],
  own: {
    PRESENCE_BROKER: Type.Union(
      brokerNames.map((name) => Type.Literal(name)),
      {
        default: "edge",
        expects: `${brokerNames.slice(0, -1).join(", ")} or ${brokerNames.at(-1)}`,
        description: "whose list of clients is read",
      },
    ),
    PRESENCE_BROKER_ADMIN_URL: Type.String({
      default: "none",
      pattern: "^(none|https?://[^\\s]+)$",
      expects: "an http(s) address, several with commas, or none",
      description: "where the list is; of edges every one; none: sessions are known by events alone",
    }),
    PRESENCE_BROKER_API_KEY: Type.Optional(
      Type.String({ secret: true, description: "emqx: key:secret; vernemq: key; the edge takes the services' secret" }),
    ),
    PRESENCE_RECONCILE_SECONDS: Type.Integer({
      default: 60,
      minimum: 1,
      maximum: 3600,
      description: "how often sessions are compared with the broker's list (s)",
    }),
    PRESENCE_SESSION_EXPIRY_SECONDS: Type.Integer({
      default: 3600,
      minimum: 1,
      description:
        "emqx: longest life of a session whose device is away (s); the edge and VerneMQ have settings of their own",
    }),
    PRESENCE_USER_SESSIONS_AWAY: Type.Integer({
      default: 16,
      minimum: 1,
      description: "emqx: sessions of one user whose devices are away; of more the longest away end",
    }),
    PRESENCE_OFFLINE_DELAY_MS: Type.Integer({
      default: 1500,
      minimum: 0,
      maximum: 60_000,
      description: "how long a user may be gone before others are told (ms)",
    }),
    PRESENCE_NOTICE_INTERVAL_MS: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 60_000,
      description: "contacts are told of a user's changes at most once in so long (ms)",
    }),
    PRESENCE_START_STATE_DELAY_MS: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 60_000,
      description: "when a device that connected is told who is online; it subscribes first (ms)",
    }),
  },
});

export type PresenceConfig = Config<typeof settings>;
