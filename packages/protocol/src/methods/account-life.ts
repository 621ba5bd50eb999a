// Methods that api owns: the life of an account, as an application with a server key governs it. HTTP only.
import Type from "typebox";
import { Uid } from "../ids.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;

const AccountState = Type.Object({
  uid: Uid,
  state: Type.Union([
    Type.Literal("active"),
    Type.Literal("disabled"),
    Type.Literal("erasing"),
    Type.Literal("erased"),
  ]),
});

const byApplication = {
  owner: "api" as const,
  mqtt: false,
  access: "key" as const,
  params: Type.Object({ uid: Uid }, strict),
  result: AccountState,
  errors: ["not_found" as const],
};

export const usersAccount = defineMethod({
  name: "users.account",
  ...byApplication,
  summary: "What has become of an account; asked by an application.",
  http: { verb: "GET", path: "/users/{uid}/account" },
});

export const usersDisable = defineMethod({
  name: "users.disable",
  ...byApplication,
  summary:
    "Logs a user out everywhere and lets nobody in: no login, token, device or message of it is taken, and others are told that there is no such user.",
  http: { verb: "POST", path: "/users/{uid}/disable" },
  changes: true,
});

export const usersEnable = defineMethod({
  name: "users.enable",
  ...byApplication,
  summary: "Lets a disabled user in again, with everything it had; it logs in anew.",
  http: { verb: "POST", path: "/users/{uid}/enable" },
  changes: true,
});

export const usersRemove = defineMethod({
  name: "users.remove",
  ...byApplication,
  summary:
    "Erases an account and all that is kept of it; answered when there is no such user any more, and done when `state` is erased. Its messages leave their places empty; nobody else is given the name.",
  http: { verb: "DELETE", path: "/users/{uid}" },
  changes: true,
});

export const accountRemove = defineMethod({
  name: "account.remove",
  owner: "api",
  summary:
    "Erases the caller's account as users.remove does. There is no way back. Without `password` only where its login has none.",
  http: { verb: "POST", path: "/account/remove" },
  mqtt: false,
  changes: true,
  params: Type.Object({ password: Type.Optional(Type.String({ maxLength: 256 })) }, strict),
  result: Type.Object({}),
  errors: ["unauthenticated", "rate_limited"],
});
