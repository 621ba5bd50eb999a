// What auth-webhook can be told by its environment.
import { type Config, defineSettings } from "@parley/runtime";
import Type from "typebox";

const jwksAlgorithms = ["RS256", "PS256", "ES256", "EdDSA"].map((name) => Type.Literal(name));

export const settings = defineSettings({
  service: "auth-webhook",
  prefix: "AUTH_WEBHOOK",
  shared: ["NATS_URL", "REDIS_URL", "GUESTS"],
  own: {
    AUTH_WEBHOOK_HOST: Type.String({
      default: "127.0.0.1",
      description: "address of the hooks; 0.0.0.0 in a container",
    }),
    AUTH_WEBHOOK_PORT: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "port of the hooks; 0 = any free one",
    }),
    AUTH_WEBHOOK_TOKEN_ALG: Type.Union([Type.Literal("HS256"), Type.Literal("EdDSA")], {
      default: "HS256",
      expects: "HS256 or EdDSA",
      description: "how tokens are signed; EdDSA takes the signing key as an Ed25519 seed",
    }),
    AUTH_WEBHOOK_TOKEN_PUBLIC_KEY: Type.Optional(
      Type.String({ description: "file with the Ed25519 public key (PEM), where the signing key is kept elsewhere" }),
    ),
    AUTH_WEBHOOK_JWKS_URL: Type.Optional(
      Type.String({
        pattern: "^https?://[^\\s]+$",
        expects: "an http(s) address",
        description: "keys of an external issuer",
      }),
    ),
    AUTH_WEBHOOK_JWKS_ALG: Type.Union(jwksAlgorithms, {
      default: "RS256",
      expects: "RS256, PS256, ES256 or EdDSA",
      description: "how the external issuer signs",
    }),
    AUTH_WEBHOOK_ISSUER: Type.Optional(Type.String({ description: "`iss` of the external issuer's tokens" })),
    AUTH_WEBHOOK_AUDIENCE: Type.Optional(Type.String({ description: "`aud` of the external issuer's tokens" })),
    AUTH_WEBHOOK_PASSWORDS: Type.Boolean({
      default: true,
      description: "may devices connect with the account's password?",
    }),
    AUTH_WEBHOOK_PASSWORD_TIMEOUT_MS: Type.Integer({
      default: 3000,
      minimum: 100,
      maximum: 4500,
      description: "how long a password may take to be checked (ms); brokers wait 5 s for the whole answer",
    }),
    AUTH_WEBHOOK_PRESENCE_TIMEOUT_MS: Type.Integer({
      default: 200,
      minimum: 10,
      maximum: 4000,
      description:
        "how long presence may take to answer (ms); at least 1,000 for who is refused without an answer: devices of other protocols, and passwords",
    }),
    AUTH_WEBHOOK_MAX_AGE: Type.Integer({
      default: 300,
      minimum: 0,
      maximum: 3600,
      description: "how long a broker may keep an allowing answer (s)",
    }),
    AUTH_WEBHOOK_SESSION_EXPIRY_SECONDS: Type.Integer({
      default: 7 * 86_400,
      minimum: 0,
      maximum: 4_294_967_295,
      description: "longest Session Expiry Interval let in at VerneMQ, which cannot shorten one (s)",
    }),
    AUTH_WEBHOOK_DEVICE_CONNECT_RATE: Type.Integer({
      default: 120,
      minimum: 1,
      description: "connects of one device from one address with the right credentials (per minute)",
    }),
    AUTH_WEBHOOK_STRANGER_CONNECTS: Type.Integer({
      default: 60,
      minimum: 1,
      description: "connects of one address without an account, as a guest or to make one (per minute)",
    }),
    AUTH_WEBHOOK_CONNECTS_AT_ONCE: Type.Integer({
      default: 2000,
      minimum: 1,
      description: "connects decided at the same time; more are told that the server is busy",
    }),
    AUTH_WEBHOOK_FAILURES: Type.Integer({
      default: 10,
      minimum: 1,
      description: "wrong passwords of one address for one user (per minute) before no more are checked",
    }),
    AUTH_WEBHOOK_ADDRESS_FAILURES: Type.Integer({
      default: 100,
      minimum: 1,
      description: "wrong passwords of one address for all users (per minute) before no more are checked",
    }),
  },
});

export type AuthWebhookConfig = Config<typeof settings>;
