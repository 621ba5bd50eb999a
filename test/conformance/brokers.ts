// The brokers that Parley stands on: what each has to be told, and which cases it promises.
import type { Case } from "./case.ts";

export const brokerNames = ["mosquitto", "emqx", "vernemq"] as const;
export type BrokerName = (typeof brokerNames)[number];

interface Broker {
  title: string;
  /** cases of these alone are promised; undefined: all are */
  promises?: readonly string[];
  /** What must be configured; `hooks` is the address of auth-webhook as the broker reaches it. */
  settings(hooks: string): string[];
}

export const brokers: Readonly<Record<BrokerName, Broker>> = {
  mosquitto: {
    title: "Mosquitto behind the edge",
    settings: (hooks) => [
      `EDGE_HOOKS_URL=${hooks}, and devices connect to the edge`,
      "Mosquitto itself as `npm start` writes its settings: one login, for services, on an address that no device reaches",
    ],
  },
  emqx: {
    title: "EMQX",
    settings: (hooks) => [
      `what deploy/emqx/emqx.conf says: by this file, or by \`parley broker setup emqx URL --hooks ${hooks} --key-file FILE\``,
      "PARLEY_BROKER_URL of routers is EMQX's listener for services; PRESENCE_BROKER=emqx, PRESENCE_BROKER_ADMIN_URL its REST API, PRESENCE_BROKER_API_KEY a key of it",
    ],
  },
  vernemq: {
    title: "VerneMQ",
    // It takes no publish to `$…`, and no topic as deep as one in a tree.
    promises: ["native"],
    settings: (hooks) => [
      `what deploy/vernemq/vernemq.conf says, with auth-webhook at ${hooks}; \`parley broker setup vernemq URL --hooks ${hooks} --key-file FILE --check\` looks`,
      "PARLEY_BROKER_URL of routers is VerneMQ; PRESENCE_BROKER=vernemq, PRESENCE_BROKER_ADMIN_URL its HTTP API, PRESENCE_BROKER_API_KEY its key",
      "devices of other protocols have trees of their own, which VerneMQ has none of: they are not let in there",
    ],
  },
};

/** Does the broker promise this case? */
export function isPromised({ about }: Pick<Case, "about">, broker: BrokerName): boolean {
  return brokers[broker].promises?.includes(about) ?? true;
}
