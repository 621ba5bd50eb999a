// What presence asks of a broker: who is connected, and to end one.

export interface BrokerClient {
  clientId: string;
  /** whom authentication let in; undefined: nobody, and then the client id is only what the client says */
  uid: string | undefined;
  /** unix ms; undefined where the broker does not tell */
  connectedAt: number | undefined;
  /** the connection's name, where the broker has one */
  connection?: string;
  /** it has a tree: `uid` is that one's user */
  hasTree?: true;
}

/** A session that waits for its device. */
export interface AwaySession {
  clientId: string;
  /** whom authentication let in; undefined: nobody */
  uid: string | undefined;
  /** when its device left, unix ms */
  since: number;
}

export interface BrokerClients {
  /** All that are connected now. Throws AppError `unavailable` unless it is all of them. */
  list(): Promise<BrokerClient[]>;
  /** Ends the connection and its session; a client that is not there is fine. Throws AppError `unavailable`. */
  disconnect(clientId: string): Promise<void>;
  /**
   * All sessions whose devices are away, where the broker keeps them as long as a device asked for. Throws AppError
   * `unavailable`.
   */
  away?(): Promise<AwaySession[]>;
  /**
   * Subscribes `#` at QoS 1 for a device with a tree, where nobody does it at its connect; a client that is not there is fine.
   * Throws AppError `unavailable`.
   */
  subscribeAll?(clientId: string): Promise<void>;
  /** All that a device with a tree has subscribed, as it wrote it, where nobody tells it. Throws AppError `unavailable`. */
  filtersOf?(clientId: string, mountpoint: string): Promise<string[]>;
  /** Has the broker forget what it keeps of hooks' answers, where it never does by itself. */
  tidy?(): Promise<void>;
}

/** Asks the broker's HTTP API; JSON, or undefined where there is nothing. Throws AppError `unavailable`. */
export type Ask = (url: string, method?: "GET" | "DELETE" | "POST", body?: object) => Promise<unknown>;

export interface Broker {
  /** what stands in `Authorization` */
  authorization(credential: string): string;
  open(urls: readonly string[], ask: Ask): BrokerClients;
}
