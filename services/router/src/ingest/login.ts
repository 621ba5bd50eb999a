// Whether the broker takes this router's login: it takes no partition before, as another router may be able to serve it.
import { routerLoginId, servicesUsername } from "@parley/protocol";
import { type Logger, sayWaiting, startBrokerSession, type Waiting } from "@parley/runtime";

export interface Login {
  /** Is its session with the broker connected now? */
  isTaken(): boolean;
  /** Resolves when it is taken for the first time. */
  whenTaken(): Promise<void>;
  /** Why the broker does not take it; undefined: it does, or it is not there. */
  refusal(): string | undefined;
  close(): Promise<void>;
}

export interface LoginParts {
  brokerUrl: string;
  password: string;
  instance: string;
  log: Logger;
}

/** reason codes 134 and 135 [MQTT5 3.2.2.2] */
const refused = /refused the connection: 13[45]/;
const otherSecret =
  "the broker does not take services-secret: the folder PARLEY_SECRETS has another one here than the broker, or the edge before it, was started with";

/** Connects at once, and again for as long as it takes. */
export function openLogin({ brokerUrl, password, instance, log }: LoginParts): Login {
  let refusal: string | undefined;
  let waiting: Waiting | undefined;
  const session = startBrokerSession({
    url: brokerUrl,
    clientId: routerLoginId(instance),
    username: servicesUsername,
    password,
    cleanStart: true,
    sessionExpirySeconds: 0,
    receiveMaximum: 1,
    keepAliveSeconds: 10,
    subscriptions: [],
    log,
    onPacket: (_, ack) => ack(),
    onState(state, reason = "") {
      if (state === "connected") {
        refusal = undefined;
        waiting?.done();
        waiting = undefined;
      } else if (reason !== "closed") waiting ??= sayWaiting(log, "broker", brokerUrl, () => refusal);
      if (!refused.test(reason)) return;
      if (refusal === undefined) log.error({ event: "broker_login_refused", reason: otherSecret });
      refusal = otherSecret;
    },
  });
  return {
    isTaken: () => session.connected,
    whenTaken: () => session.whenConnected(),
    refusal: () => refusal,
    close() {
      waiting?.cancel();
      return session.close({ graceful: true });
    },
  };
}
