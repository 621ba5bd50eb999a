// Who speaks to NATS, Redis and the store, and so is told a password: the services, and the operator with `parley`.

/** A server whose address holds a password; the file that a reader finds it in. */
export const addressFiles = { nats: "nats-url", redis: "redis-url", store: "store-url" } as const;

export type AddressedServer = keyof typeof addressFiles;

/** At NATS each is a user of its own, who may use the subjects that it needs (deploy/nats/nats.conf). */
export const readers: Readonly<Record<string, readonly AddressedServer[]>> = {
  api: ["nats", "redis", "store"],
  "auth-webhook": ["nats", "redis"],
  history: ["nats", "redis", "store"],
  presence: ["nats", "redis", "store"],
  push: ["nats", "redis", "store"],
  router: ["nats", "redis"],
  search: ["nats", "store"],
  operator: ["nats"],
};
