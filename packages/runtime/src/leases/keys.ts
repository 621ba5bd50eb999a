// The names of leases in Redis, and of the channel that tells of them.

/** The lease on one key: its value is the holder's instance. */
export function leaseKey(kind: string, key: string): string {
  return `lease:${kind}:${key}`;
}

/** The living replicas that share the keys of a kind: a sorted set of instances by the time they expire (ms). */
export function replicasKey(kind: string): string {
  return `replicas:${kind}`;
}

/** A random value made with the set; another value means that Redis was flushed or replaced. */
export function epochKey(kind: string): string {
  return `lease-epoch:${kind}`;
}

/** Where it is told who has begun to hold which key, and which keys are free: see LeaseNotice. */
export function noticeChannel(kind: string): string {
  return `lease-notices:${kind}`;
}
