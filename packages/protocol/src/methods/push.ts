// Methods that push owns: which devices are notified while they are not connected, and how.
import Type, { type Static } from "typebox";
import { AnyClientId, Uid } from "../ids.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;

/** What a device may be notified by. Of `apns-voip` calls alone are sent, `apns` has all else. */
const Kind = Type.Union([
  Type.Literal("fcm"),
  Type.Literal("apns"),
  Type.Literal("apns-voip"),
  Type.Literal("webpush"),
]);
export type TokenKind = Static<typeof Kind>;

/** Apple's bundle ids, Android's application ids, or whatever a web page calls itself. */
const AppId = Type.String({
  pattern: "^[0-9A-Za-z][0-9A-Za-z_.\\-]{0,127}$",
  description:
    "the app's bundle id (without `.voip`) or application id, default the server's `PUSH_APP_ID`; of `webpush` a name of your own, default `web`",
});
const Language = Type.String({
  minLength: 2,
  maxLength: 35,
  description: "BCP 47: the words of notifications; default `en`",
});
const Ms = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
const TokenId = Type.String({ pattern: "^[0-9A-Za-z_\\-]{43}$", description: "as `push.list` tells it" });

/** A server key says for whom it asks; a user's token and MQTT say that themselves. */
const ForUser = { uid: Type.Optional(Uid) };
const ForDevice = { ...ForUser, clientId: Type.Optional(AnyClientId) };
const keysToo = "With a server key too: `uid` and `clientId` say whose device it is.";

/** What `PushSubscription.toJSON()` answers in a browser. */
const PushSubscription = Type.Object(
  {
    endpoint: Type.String({ minLength: 1, maxLength: 2_048, description: "https:" }),
    keys: Type.Object(
      {
        p256dh: Type.String({ maxLength: 100, description: "base64url of 65 bytes, a point on P-256" }),
        auth: Type.String({ maxLength: 32, description: "base64url of 16 bytes" }),
      },
      strict,
    ),
    expirationTime: Type.Optional(Type.Union([Ms, Type.Null()])),
  },
  strict,
);

export const pushRegister = defineMethod({
  name: "push.register",
  owner: "push",
  summary:
    "The device that asks is notified by this token from now on, until it logs out. A token is whose it was registered for last; a " +
    `device has one of a kind for an app. ${keysToo}`,
  http: { verb: "POST", path: "/push/tokens" },
  changes: true,
  params: Type.Object(
    {
      ...ForDevice,
      kind: Kind,
      token: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 4_096,
          description: "of `fcm` as Firebase gives it; of `apns` and `apns-voip` 64 to 200 hex digits",
        }),
      ),
      subscription: Type.Optional(PushSubscription),
      appId: Type.Optional(AppId),
      language: Type.Optional(Language),
      sandbox: Type.Optional(
        Type.Boolean({ description: "APNs: the app is signed for Apple's development environment; default false" }),
      ),
    },
    strict,
  ),
  result: Type.Object({ id: TokenId }),
  errors: ["forbidden", "conflict", "not_found"],
});
export type PushRegistration = Static<typeof pushRegister.params>;

export const pushRemove = defineMethod({
  name: "push.remove",
  owner: "push",
  summary: `Ends the notifications of one of the caller's tokens (\`id\`), or of all of the device that asks. ${keysToo}`,
  http: { verb: "DELETE", path: "/push/tokens" },
  changes: true,
  params: Type.Object({ ...ForDevice, id: Type.Optional(TokenId) }, strict),
  result: Type.Object({}),
  errors: ["forbidden", "not_found"],
});

const RegisteredToken = Type.Object({
  id: TokenId,
  clientId: AnyClientId,
  kind: Kind,
  token: Type.String({ description: "its end; of `webpush` where its push service is" }),
  appId: Type.String(),
  language: Type.String(),
  sandbox: Type.Optional(Type.Boolean({ description: "of APNs" })),
  registeredAt: Type.Integer({ description: "unix ms: the last time" }),
});
export type RegisteredToken = Static<typeof RegisteredToken>;

export const pushList = defineMethod({
  name: "push.list",
  owner: "push",
  summary: "What the caller's devices have registered, the newest first. With a server key too: `uid` says for whom.",
  http: { verb: "GET", path: "/push/tokens" },
  params: Type.Object({ ...ForUser }, strict),
  result: Type.Object({ tokens: Type.Array(RegisteredToken) }),
  errors: ["forbidden", "not_found"],
});

const Changeable = {
  preview: Type.Union([Type.Literal("full"), Type.Literal("name"), Type.Literal("none")], {
    description: "what notifications show: all, only from whom it is, or neither",
  }),
  mentions: Type.Boolean({
    description: "a message that mentions the user is notified of in a muted conversation too",
  }),
  dndUntil: Type.Union([Ms, Type.Null()], {
    description: "unix ms: until then nothing is notified; null: nothing holds",
  }),
};

const PushSettings = Type.Object({
  ...Changeable,
  vapidPublicKey: Type.String({
    description: "of Web Push: what a browser subscribes with (`applicationServerKey`), base64url",
  }),
});
export type PushSettings = Static<typeof PushSettings>;

export const pushSettings = defineMethod({
  name: "push.settings",
  owner: "push",
  summary:
    "How the caller is notified, and the key that a browser subscribes with. With a server key too: `uid` says who.",
  http: { verb: "GET", path: "/push/settings" },
  params: Type.Object({ ...ForUser }, strict),
  result: PushSettings,
  errors: ["forbidden", "not_found"],
});

export const pushUpdateSettings = defineMethod({
  name: "push.updateSettings",
  owner: "push",
  summary:
    "Changes how the caller is notified, on all devices: what is absent stays as it is. With a server key too: `uid` says who.",
  http: { verb: "PUT", path: "/push/settings" },
  changes: true,
  params: Type.Object(
    {
      ...ForUser,
      preview: Type.Optional(Changeable.preview),
      mentions: Type.Optional(Changeable.mentions),
      dndUntil: Type.Optional(Changeable.dndUntil),
    },
    strict,
  ),
  result: PushSettings,
  errors: ["forbidden", "not_found", "conflict"],
});
