// Methods that api owns: the accounts of one login. One user name and password log in to any of them.
import Type from "typebox";
import { nameText, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const Password = Type.String({ minLength: 8, maxLength: 256 });
const GivenPassword = Type.String({ maxLength: 256 });

export const accountsList = defineMethod({
  name: "accounts.list",
  owner: "api",
  summary:
    "The accounts of the caller's login, its own among them, the oldest first; nobody else is told which they are.",
  http: { verb: "GET", path: "/accounts" },
  params: Type.Object({}, strict),
  result: Type.Object({
    accounts: Type.Array(
      Type.Object({
        uid: Uid,
        name: Type.String({ description: "the uid where none was given" }),
        nick: Type.String(),
        avatar: Type.String(),
        state: Type.Union([Type.Literal("active"), Type.Literal("disabled")]),
      }),
    ),
  }),
  errors: ["unauthenticated"],
});

export const accountsAdd = defineMethod({
  name: "accounts.add",
  owner: "api",
  summary: `One more account for the caller's login, at most ${limits.loginAccounts}: a new one, or with its present password one that exists.`,
  http: { verb: "POST", path: "/accounts" },
  mqtt: false,
  changes: true,
  params: Type.Object(
    {
      uid: Uid,
      name: Type.Optional(nameText({ maxLength: 128 })),
      password: Type.Optional(
        Type.String({
          maxLength: 256,
          description: "of an account that exists: it takes the login's instead, and all its sessions end",
        }),
      ),
    },
    strict,
  ),
  result: Type.Object({ uid: Uid }),
  errors: ["unauthenticated", "conflict", "forbidden", "rate_limited"],
});

export const accountsRelease = defineMethod({
  name: "accounts.release",
  owner: "api",
  summary:
    "Lets an account of the caller's login go, with all that it has: it is a login of its own then, and all its sessions but the one that asks end. The last one stays.",
  http: { verb: "POST", path: "/accounts/{uid}/release" },
  mqtt: false,
  changes: true,
  params: Type.Object({ uid: Uid, password: GivenPassword, newPassword: Password }, strict),
  result: Type.Object({ uid: Uid }),
  errors: ["unauthenticated", "not_found", "conflict", "rate_limited"],
});
