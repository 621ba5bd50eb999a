// Why the edge says no, and how each MQTT version says it: one table.

export interface Reason {
  /** what logs and metrics call it */
  name: string;
  /** MQTT 5 reason code, for CONNACK, DISCONNECT, PUBACK, PUBREC and SUBACK */
  code: number;
  /** in its place in PUBACK and PUBREC, whose codes are fewer: clients take any other for a malformed packet */
  publishCode?: number;
  /** DISCONNECT has no such code, or libraries would give up for good: the connection is closed without a word */
  silent?: boolean;
  /** what is said to people with it */
  words?: string;
  /** CONNACK return code of MQTT 3.1.1; absent where only closing says it */
  returnCode?: number;
}

export const reasons = {
  malformed: { name: "malformed", code: 0x81, publishCode: 0x80, words: "the packet is malformed" },
  protocolError: {
    name: "protocol_error",
    code: 0x82,
    publishCode: 0x80,
    words: "the packet is not allowed like this",
  },
  unsupportedVersion: {
    name: "unsupported_version",
    code: 0x84,
    returnCode: 1,
    words: "MQTT 3.1.1 and MQTT 5 are spoken here",
  },
  otherVersion: {
    name: "unsupported_version",
    code: 0x84,
    returnCode: 1,
    words: "what this device speaks needs the other version of MQTT",
  },
  clientIdInvalid: {
    name: "client_id_invalid",
    code: 0x85,
    returnCode: 2,
    words: "this client id is not for this user",
  },
  badCredentials: {
    name: "bad_credentials",
    code: 0x86,
    returnCode: 5,
    words: "the user name, the password or the token is wrong, or the token is no longer good",
  },
  notAuthorized: { name: "not_authorized", code: 0x87, returnCode: 5 },
  willRefused: {
    name: "will_refused",
    code: 0x87,
    returnCode: 5,
    words: "the topic of the Will is not one that this device may publish to",
  },
  unavailable: { name: "unavailable", code: 0x88, returnCode: 3, silent: true },
  busy: { name: "busy", code: 0x89, returnCode: 3, silent: true },
  shuttingDown: { name: "shutting_down", code: 0x8b, returnCode: 3, silent: true },
  badAuthMethod: {
    name: "bad_auth_method",
    code: 0x8c,
    returnCode: 5,
    words: "there is no enhanced authentication: log in by user name and password",
  },
  keepAlive: { name: "keep_alive", code: 0x8d },
  takenOver: { name: "taken_over", code: 0x8e },
  topicFilterInvalid: {
    name: "topic_filter_invalid",
    code: 0x8f,
    words: "a wildcard stands for a whole level, # only for the last ones",
  },
  topicInvalid: { name: "topic_invalid", code: 0x90, words: "a topic is not empty and holds no wildcard" },
  topicTooLong: {
    name: "topic_too_long",
    code: 0x90,
    words: "a topic may have 195 levels, and about 65,000 bytes",
  },
  topicAliasInvalid: {
    name: "topic_alias_invalid",
    code: 0x94,
    publishCode: 0x80,
    words: "Topic Aliases go from 1 to the Topic Alias Maximum of CONNACK",
  },
  tooLarge: { name: "too_large", code: 0x95, publishCode: 0x97 },
  connectTooLarge: { name: "connect_too_large", code: 0x95, returnCode: 5, words: "a CONNECT may have 16 KiB" },
  notReading: { name: "not_reading", code: 0x97 },
  quota: { name: "quota_exceeded", code: 0x97, returnCode: 3 },
  tooManyFilters: { name: "too_many_filters", code: 0x97, words: "one packet may name 1,000 filters" },
  filtersQuota: {
    name: "filters_quota",
    code: 0x97,
    words: "a device may have 1,000 filters, with 128 Ki characters in all",
  },
  removed: { name: "removed", code: 0x98 },
  retainRefused: {
    name: "retain_refused",
    code: 0x9a,
    publishCode: 0x83,
    returnCode: 5,
    words: "nothing is retained here: send it without the retain flag",
  },
  sharedRefused: { name: "shared_refused", code: 0x9e, words: "there are no shared subscriptions here" },
  connectRate: { name: "connection_rate_exceeded", code: 0x9f, returnCode: 3 },
  expired: { name: "expired", code: 0xa0 },
} as const satisfies Record<string, Reason>;

/** What the words of a hook's `{"result": {"error": …}}` mean; any other is a refusal of the credentials, as on VerneMQ. */
export function reasonOfError(error: string): Reason {
  return hookErrors[error] ?? reasons.badCredentials;
}

const hookErrors: Record<string, Reason> = {
  client_identifier_not_valid: reasons.clientIdInvalid,
  unsupported_protocol_version: reasons.otherVersion,
  not_authorized: reasons.notAuthorized,
  server_unavailable: reasons.unavailable,
  unavailable: reasons.unavailable,
  server_busy: reasons.busy,
  quota_exceeded: reasons.quota,
  connection_rate_exceeded: reasons.connectRate,
};
