// Who wants to connect, what a decision about it asks, and what it can end in.
import type {
  ConnectReply,
  ConnectRequest,
  Credential,
  LoginsReply,
  PasswordReply,
  UnchangedRequest,
} from "@parley/protocol";
import type { Dialect } from "@parley/protocol/dialects";
import type { Guest } from "@parley/runtime";
import type { ConnectRates } from "./connect-rates.ts";
import type { TokenRefusal, Tokens } from "./tokens.ts";

export interface ConnectAttempt {
  clientId: string;
  username: string | undefined;
  password: string | undefined;
  /** of the device, not of a proxy */
  address: string;
  protocol: 4 | 5 | undefined;
  /** the broker's name for this connection, where it has one */
  connection?: string | undefined;
  /** of MQTT 5, where the broker cannot shorten it */
  sessionExpirySeconds?: number | undefined;
  /** may the broker that asks put a mountpoint before a device's topics? */
  hasTrees: boolean;
  /** Does the broker that asks know a native device's own topics, and the end of its login? It asks nobody about them then. */
  judgesOwnTopics?: boolean;
  /** its session outlives the connection; undefined: the broker does not tell */
  persistent?: boolean | undefined;
  /** it begins a new session; undefined: the broker does not tell */
  clean?: boolean | undefined;
  /** the client id was made up for this connection */
  assigned?: boolean | undefined;
}

export type ConnectRefusal =
  | TokenRefusal
  | "reserved"
  | "username"
  | "client_id"
  | "no_credential"
  | "rate_limited"
  | "busy"
  | "session_expiry"
  | "other_client_id"
  | "revoked"
  | "not_ready"
  | "passwords_off"
  | "wrong_password"
  | "revoked_meanwhile"
  | "password_changed"
  | "too_many_failures"
  | "unavailable"
  | "owned_by_another"
  | "blocked"
  | "unknown_device"
  | "needs_tree"
  /** its dialect needs another version of MQTT */
  | "protocol";

/** Absent from the rules when passwords are off. */
export interface Passwords {
  /** busy: too many wait to be checked; undefined: nobody answered */
  verify(username: string, password: string, address: string): Promise<PasswordReply | "busy" | undefined>;
  /** Does the account still have the password that was right? undefined: nobody answered */
  unchanged(request: UnchangedRequest): Promise<boolean | undefined>;
}

/** What the decision asks, handed in. */
export interface ConnectRules {
  isServicesSecret(password: string): boolean;
  tokens: Tokens;
  /** undefined: the list is not loaded yet */
  isRevoked(uid: string, proof: Credential): boolean | undefined;
  passwords: Passwords | undefined;
  /** how long a session may be kept for a device that is away */
  sessionExpiryMaxSeconds: number;
  /** Makes the user of an external issuer where it is missing. false: the name is not to be had; undefined: nobody answered. */
  ensureUser(uid: string): Promise<boolean | undefined>;
  /** undefined: presence did not answer in time. `isNeeded`: the device is refused then, so more time is given. */
  register(request: ConnectRequest, options: { isNeeded: boolean }): Promise<ConnectReply | undefined>;
  rates: ConnectRates;
  guests: readonly Guest[];
  dialects: readonly Dialect[];
  /** Is there a user of that name? undefined: nobody answered */
  userExists(name: string): Promise<boolean | undefined>;
  /** The user's logins; undefined: nobody answered */
  loginsOf(uid: string): Promise<LoginsReply["logins"] | undefined>;
}
