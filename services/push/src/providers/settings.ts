// What push can be told about its providers. A provider that nothing is said about is off.
import { readNetworks } from "@parley/runtime";
import { Type } from "typebox";

const networks = "^([0-9A-Fa-f.:/]+(\\s*,\\s*[0-9A-Fa-f.:/]+)*)?$";
const appleId = { pattern: "^[0-9A-Z]{10}$", expects: "10 of A-Z 0-9" };
const https = {
  pattern: "^https://[^\\s/?#@]+/?$",
  expects: "an address like https://api.push.apple.com, without a path",
};

export const providerSettings = {
  PUSH_DEADLINE_MS: Type.Integer({
    default: 10_000,
    minimum: 1_000,
    maximum: 60_000,
    description: "how long a provider is given for one notification (ms)",
  }),
  PUSH_APNS_KEY_FILE: Type.Optional(
    Type.String({
      description: "Apple's push notifications: file of the key that signs tokens, as Apple gives it (.p8)",
    }),
  ),
  PUSH_APNS_KEY_ID: Type.Optional(Type.String({ ...appleId, description: "id of that key" })),
  PUSH_APNS_TEAM_ID: Type.Optional(
    Type.String({ ...appleId, description: "id of the developer team whose key it is" }),
  ),
  PUSH_APNS_CERTIFICATE_FILE: Type.Optional(
    Type.String({ description: "instead of a key: file of a certificate for one app (PEM)" }),
  ),
  PUSH_APNS_CERTIFICATE_KEY_FILE: Type.Optional(
    Type.String({ description: "file of that certificate's private key (PEM)" }),
  ),
  PUSH_APNS_URL: Type.String({
    ...https,
    default: "https://api.push.apple.com",
    description: "where Apple's production environment is, or a proxy of it",
  }),
  PUSH_APNS_SANDBOX_URL: Type.String({
    ...https,
    default: "https://api.sandbox.push.apple.com",
    description: "where Apple's development environment is, or a proxy of it",
  }),
  PUSH_APNS_CA_FILE: Type.Optional(
    Type.String({ description: "who has signed the certificates of these two (PEM); without it whom Node trusts" }),
  ),
  PUSH_APNS_IN_FLIGHT: Type.Integer({
    default: 500,
    minimum: 1,
    maximum: 500,
    description: "notifications that are on their way to Apple at once",
  }),
  PUSH_FCM_SERVICE_ACCOUNT_FILE: Type.Optional(
    Type.String({
      description: "Firebase Cloud Messaging: file of a service account's key, as Google gives it (JSON)",
    }),
  ),
  PUSH_FCM_URL: Type.Optional(
    Type.String({ ...https, description: "where FCM and Google's tokens are; without it Google's own addresses" }),
  ),
  PUSH_FCM_CA_FILE: Type.Optional(
    Type.String({ description: "who has signed its certificate (PEM); without it whom Node trusts" }),
  ),
  PUSH_FCM_IN_FLIGHT: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 500,
    description: "notifications that are on their way to FCM at once, each on a connection of its own",
  }),
  PUSH_WEB_SUBJECT: Type.Optional(
    Type.String({
      pattern: "^(mailto:[^\\s@]+@[^\\s@]+|https://[^\\s]+)$",
      expects: "mailto:SOMEBODY@YOUR.DOMAIN or an https address",
      description: "Web Push: how push services may reach you",
    }),
  ),
  PUSH_WEB_ALLOW: Type.String({
    default: "",
    pattern: networks,
    expects: "addresses or networks like 10.0.0.0/8,127.0.0.1",
    read: readNetworks,
    description: "networks that subscriptions may lead to, at any port, although they are not public",
  }),
  PUSH_WEB_CA_FILE: Type.Optional(
    Type.String({ description: "who else may have signed the certificates of push services (PEM)" }),
  ),
  PUSH_WEB_IN_FLIGHT: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 1_000,
    description: "notifications that are on their way to push services at once, half of them to one",
  }),
};
