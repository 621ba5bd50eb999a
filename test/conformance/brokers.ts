// The brokers that Parley stands on: what each has to be told, and which cases it promises.
import type { About, Case } from "./case.ts";

export const brokerNames = ["mosquitto", "emqx", "vernemq"] as const;
export type BrokerName = (typeof brokerNames)[number];

interface Broker {
  title: string;
  /** cases of these alone are promised; undefined: all are */
  promises?: readonly About[];
  /** What must be configured; `hooks` is the address of auth-webhook as the broker reaches it. */
  settings(hooks: string): string[];
}

/** What EMQX writes in its place. */
const placed = (name: string) => `$\{${name}}`;
const attributes = ["clientid", "username", "password", "peerhost"]
  .map((name) => `"${name}":"${placed(name)}"`)
  .join(",");
const vernemqHooks = ["auth_on_register", "auth_on_publish", "auth_on_subscribe", "on_register"];
const vernemqEvents = ["on_client_wakeup", "on_client_offline", "on_client_gone", "on_session_expired"];

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
      `authentication: HTTP, POST ${hooks}/emqx/authn, header Authorization: Bearer {hook-secret}, body {${attributes}}`,
      "authorization: sources none, no_match deny, deny_action disconnect (the answer to authentication has the rules)",
      `listeners of devices: mountpoint ${placed("client_attrs.mp")}, and client_attrs_init of mp dflt/{clientid}/`,
      `a rule on client.connected, client.disconnected, session.subscribed and session.unsubscribed: POST ${hooks}/emqx/events, the same header, all fields of the event`,
      "mqtt.upgrade_qos true, mqtt.ignore_loop_deliver true, mqtt.shared_subscription false, retainer and delayed off",
      "services: a zone of their own with max_inflight 1000, max_mqueue_len infinity, force_shutdown.max_heap_size 1GB",
      "PARLEY_BROKER_URL of routers is EMQX; PRESENCE_BROKER=emqx, PRESENCE_BROKER_ADMIN_URL its REST API, PRESENCE_BROKER_API_KEY a key of it",
    ],
  },
  vernemq: {
    title: "VerneMQ",
    // It takes no publish to `$…`, and no topic as deep as one in a tree.
    promises: ["native"],
    settings: (hooks) => [
      "plugins.vmq_acl off, plugins.vmq_passwd off, plugins.vmq_webhooks on, allow_anonymous off, allowed_protocol_versions 4,5",
      `webhooks ${[...vernemqHooks, ...vernemqEvents].join(", ")} and their _m5 forms: ${hooks}/vernemq/{hook-secret}, no_payload on for those of publishes`,
      "topic_max_depth 20, max_message_size 262144, persistent_client_expiration set",
      "PARLEY_BROKER_URL of routers is VerneMQ; PRESENCE_BROKER=vernemq, PRESENCE_BROKER_ADMIN_URL its HTTP API, PRESENCE_BROKER_API_KEY its key",
      "devices of other protocols have trees of their own, which VerneMQ has none of: they are not let in there",
    ],
  },
};

/** Does the broker promise this case? */
export function isPromised({ about }: Pick<Case, "about">, broker: BrokerName): boolean {
  return brokers[broker].promises?.includes(about) ?? true;
}
