// What sessions know of a device's connection, and what hooks are told of one.

/** A device's connection, as sessions see it. */
export interface Member {
  clientId: string;
  /** of this connection alone; its events carry it, so that they end no session at another edge */
  readonly connectionId: string;
  username: string | null;
  version: 4 | 5;
  transport: "tcp" | "ws";
  /** unix time in ms */
  connectedAt: number;
  hasTree: boolean;
  /** its login said so: it has no tree, and nobody need look for one */
  hasOwnTopics: boolean;
  /** of its tree; empty: it has none */
  mountpoint: string;
  /** the broker had a session of its client id */
  isResumed: boolean;
  /** how long the session outlives the connection, as last said */
  sessionExpirySeconds: number;
  /** disconnects because an operator or presence said so */
  remove(): void;
}

export type SessionHook = "on_client_wakeup" | "on_client_offline" | "on_client_gone" | "on_session_expired";
