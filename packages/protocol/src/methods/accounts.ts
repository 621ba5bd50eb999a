// Methods that api owns: accounts, tokens and server keys. HTTP only.
import Type from "typebox";
import { AnyClientId, DeviceKind, displayText, nameText, PacketId, packetId, To, Uid } from "../ids.ts";
import { Message } from "../packets/downlink.ts";
import { defineMethod } from "./method.ts";
import { Session } from "./session.ts";

const strict = { additionalProperties: false } as const;
const Password = Type.String({ minLength: 8, maxLength: 256 });
const Device = Type.Optional(
  Type.String({
    pattern: "^[0-9a-zA-Z_\\-@.]{1,31}$",
    description: "name of the device: the client id becomes {uid}:{device}; made up when absent",
  }),
);

/** The device as SlimChat writes it. */
const ClientObject = {
  appid: Type.Optional(displayText({ maxLength: 128 })),
  deviceid: Type.Optional(displayText({ minLength: 1, maxLength: 64 })),
  clientid: Type.Optional(AnyClientId),
  type: Type.Optional(DeviceKind),
};

export const login = defineMethod({
  name: "login",
  owner: "api",
  summary:
    "A session for one device, with everything a stock MQTT client needs: of the user name's account, or of another one of its login.",
  http: { verb: "POST", path: "/login" },
  mqtt: false,
  access: "public",
  params: Type.Object(
    {
      username: Uid,
      password: Type.String({ maxLength: 256 }),
      account: Type.Optional(Uid),
      device: Device,
      kind: Type.Optional(DeviceKind),
      dialect: Type.Optional(
        Type.String({
          maxLength: 32,
          description: "the protocol that the device speaks, where it is not Parley's own",
        }),
      ),
      ...ClientObject,
    },
    strict,
  ),
  result: Session,
  errors: ["unauthenticated", "rate_limited", "not_found", "invalid_packet"],
});

export const refresh = defineMethod({
  name: "refresh",
  owner: "api",
  summary:
    "A new session for a refresh token, which is used up by it; within 30 s it is answered with the same successor.",
  http: { verb: "POST", path: "/refresh" },
  mqtt: false,
  access: "public",
  params: Type.Object({ refreshToken: Type.String({ maxLength: 512 }) }, strict),
  result: Session,
  errors: ["unauthenticated"],
});

export const logout = defineMethod({
  name: "logout",
  owner: "api",
  summary: "Revokes the tokens of the calling device and ends its connection.",
  http: { verb: "POST", path: "/logout" },
  mqtt: false,
  changes: true,
  params: Type.Object({}, strict),
  result: Type.Object({}),
});

export const register = defineMethod({
  name: "register",
  owner: "api",
  summary: "A new account (a setting; on by default only locally).",
  http: { verb: "POST", path: "/register" },
  mqtt: false,
  access: "public",
  changes: true,
  params: Type.Object({ username: Uid, password: Password, name: Type.Optional(nameText({ maxLength: 128 })) }, strict),
  result: Type.Object({ uid: Uid }),
  errors: ["conflict", "forbidden", "rate_limited"],
});

export const accountPassword = defineMethod({
  name: "account.password",
  owner: "api",
  summary:
    "Changes the password of the caller's login; every other session is ended, of all its accounts, also under the same device name.",
  http: { verb: "POST", path: "/password" },
  mqtt: false,
  changes: true,
  params: Type.Object(
    { password: Type.String({ maxLength: 256, description: "the present one" }), newPassword: Password },
    strict,
  ),
  result: Type.Object({}),
  errors: ["unauthenticated"],
});

const Key = Type.Object({ id: Type.String(), name: Type.String(), createdAt: Type.Integer() });

export const keysCreate = defineMethod({
  name: "keys.create",
  owner: "api",
  summary: "A server key for an application; the key itself is shown only now.",
  http: { verb: "POST", path: "/keys" },
  mqtt: false,
  access: "operator",
  changes: true,
  params: Type.Object({ name: displayText({ minLength: 1, maxLength: 64 }) }, strict),
  result: Type.Object({ id: Type.String(), name: Type.String(), createdAt: Type.Integer(), key: Type.String() }),
});

export const keysList = defineMethod({
  name: "keys.list",
  owner: "api",
  summary: "The server keys, without their secrets.",
  http: { verb: "GET", path: "/keys" },
  mqtt: false,
  access: "operator",
  params: Type.Object({}, strict),
  result: Type.Object({ keys: Type.Array(Key) }),
});

export const keysRemove = defineMethod({
  name: "keys.remove",
  owner: "api",
  summary: "Removes a server key; it is refused from now on.",
  http: { verb: "DELETE", path: "/keys/{id}" },
  mqtt: false,
  access: "operator",
  changes: true,
  params: Type.Object({ id: packetId("of the key") }, strict),
  result: Type.Object({}),
  errors: ["not_found"],
});

export const usersCreate = defineMethod({
  name: "users.create",
  owner: "api",
  summary: "A user made by an application; without a password it logs in through the application only.",
  http: { verb: "POST", path: "/users" },
  mqtt: false,
  access: "key",
  changes: true,
  params: Type.Object(
    { uid: Uid, password: Type.Optional(Password), name: Type.Optional(nameText({ maxLength: 128 })) },
    strict,
  ),
  result: Type.Object({ uid: Uid }),
  errors: ["conflict"],
});

export const usersLogin = defineMethod({
  name: "users.login",
  owner: "api",
  summary: "A session for a user's device, made by an application.",
  http: { verb: "POST", path: "/users/{uid}/login" },
  mqtt: false,
  access: "key",
  params: Type.Object({ uid: Uid, device: Device }, strict),
  result: Session,
  errors: ["not_found"],
});

export const messagesSend = defineMethod({
  name: "messages.send",
  owner: "api",
  summary: "Sends a message over HTTP: a user as itself, an application (server key) as the user named in `from`.",
  http: { verb: "POST", path: "/messages" },
  mqtt: false,
  changes: true,
  params: Type.Object(
    {
      from: Type.Optional(Uid),
      id: Type.Optional(PacketId),
      to: To,
      content: Type.Object({ type: Type.String() }, { additionalProperties: true }),
    },
    { additionalProperties: true },
  ),
  result: Type.Pick(Message, ["id", "conv", "seq", "ts"]),
  errors: ["not_found", "not_member", "blocked", "conflict", "too_large"],
});
