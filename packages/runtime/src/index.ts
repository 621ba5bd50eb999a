// @parley/runtime: what every service's main.ts needs.

export { brokerAddress } from "./broker-session/address.ts";
export type {
  BrokerSession,
  BrokerSessionOptions,
  BrokerSessionState,
  BrokerSessionStats,
  PublishProperties,
  ReceivedPacket,
  ReceivedProperties,
  Subscription,
  Unheard,
  WhenFull,
} from "./broker-session/options.ts";
export { type Refusal, refusalsOf } from "./broker-session/refusals.ts";
export { startBrokerSession } from "./broker-session/session.ts";
export * from "./connections/jetstream.ts";
export * from "./connections/nats.ts";
export * from "./connections/redis.ts";
export * from "./connections/redis-script.ts";
export { sayWaiting, type Waiting } from "./connections/waiting.ts";
export * from "./flow/address.ts";
export * from "./flow/guard.ts";
export * from "./flow/has-passed.ts";
export * from "./flow/one-write.ts";
export * from "./flow/public-address.ts";
export * from "./flow/repeat.ts";
export * from "./flow/rounds.ts";
export * from "./flow/tally.ts";
export * from "./flow/token-bucket.ts";
export * from "./flow/turns.ts";
export * from "./flow/up-to.ts";
export * from "./flow/within.ts";
export * from "./guesses/failures.ts";
export * from "./leases/holders.ts";
export { leaseKey, noticeChannel } from "./leases/keys.ts";
export * from "./leases/leases.ts";
export * from "./members/ask-members.ts";
export * from "./members/members.ts";
export * from "./members/members-changed.ts";
export * from "./process/checkpoints.ts";
export * from "./process/config.ts";
export * from "./process/external-memory.ts";
export * from "./process/guests.ts";
export * from "./process/health.ts";
export * from "./process/link-if-free.ts";
export * from "./process/log.ts";
export * from "./process/main.ts";
export * from "./process/metrics.ts";
export * from "./process/mosquitto-password.ts";
export * from "./process/nearest.ts";
export * from "./process/priority.ts";
export * from "./process/reminders.ts";
export * from "./process/secret-check.ts";
export * from "./process/secrets.ts";
export * from "./process/value-files.ts";
export * from "./requests/answer-backup.ts";
export * from "./requests/answer-compact.ts";
export * from "./requests/ask-holder.ts";
export * from "./requests/keep-requests.ts";
export * from "./requests/once.ts";
export * from "./requests/page.ts";
export * from "./requests/request.ts";
export * from "./requests/revocation-list.ts";
export * from "./requests/revocations.ts";
export * from "./requests/rpc.ts";
export { type FollowStoredOptions, followStored } from "./stored/follow.ts";
export { readEntriesOf, readFollowed, readLog, readStored } from "./stored/read.ts";
export {
  type DeadReference,
  type FollowedReference,
  type FollowReferencesOptions,
  followReferences,
} from "./stored/references.ts";
export { takeInGroups } from "./stored/some-not-taken.ts";
