// The brokers that presence knows, a file each: a new one is a line here.
import { askBroker } from "./ask.ts";
import type { Broker, BrokerClients } from "./broker.ts";
import { edge } from "./edge.ts";
import { emqx } from "./emqx.ts";
import { vernemq } from "./vernemq.ts";

export const brokers = { edge, emqx, vernemq } as const satisfies Record<string, Broker>;

export type BrokerName = keyof typeof brokers;

/** `credential`: of the edge the services' secret, of EMQX `key:secret`, of VerneMQ an API key. */
export function openBrokerClients(options: {
  broker: BrokerName;
  urls: readonly string[];
  credential: string;
}): BrokerClients {
  const broker: Broker = brokers[options.broker];
  const authorization = broker.authorization(options.credential);
  return broker.open(options.urls, (url, method = "GET", body = undefined) =>
    askBroker(url, { method, body, authorization }),
  );
}
