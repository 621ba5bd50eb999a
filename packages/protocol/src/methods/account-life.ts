// Methods that api owns: the life of an account, as an application with a server key governs it. HTTP only.
import Type from "typebox";
import { Uid } from "../ids.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;

const AccountState = Type.Object({
  uid: Uid,
  state: Type.Union([Type.Literal("active"), Type.Literal("disabled")]),
});

export const usersAccount = defineMethod({
  name: "users.account",
  owner: "api",
  summary: "What has become of an account; asked by an application.",
  http: { verb: "GET", path: "/users/{uid}/account" },
  mqtt: false,
  access: "key",
  params: Type.Object({ uid: Uid }, strict),
  result: AccountState,
  errors: ["not_found"],
});

export const usersDisable = defineMethod({
  name: "users.disable",
  owner: "api",
  summary:
    "Logs a user out everywhere and lets nobody in: no login, token, device or message of it is taken, and others are told that there is no such user.",
  http: { verb: "POST", path: "/users/{uid}/disable" },
  mqtt: false,
  access: "key",
  changes: true,
  params: Type.Object({ uid: Uid }, strict),
  result: AccountState,
  errors: ["not_found"],
});

export const usersEnable = defineMethod({
  name: "users.enable",
  owner: "api",
  summary: "Lets a disabled user in again, with everything it had; it logs in anew.",
  http: { verb: "POST", path: "/users/{uid}/enable" },
  mqtt: false,
  access: "key",
  changes: true,
  params: Type.Object({ uid: Uid }, strict),
  result: AccountState,
  errors: ["not_found"],
});
