// Methods that api owns: aliases, other names that lead to an account.
import Type from "typebox";
import { Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const Aliases = Type.Object({ aliases: Type.Array(Uid) });

export const aliasesList = defineMethod({
  name: "aliases.list",
  owner: "api",
  summary: "Other names of the caller's account: it logs in by them, and others find it by them.",
  http: { verb: "GET", path: "/aliases" },
  params: Type.Object({}, strict),
  result: Aliases,
});

export const aliasesAdd = defineMethod({
  name: "aliases.add",
  owner: "api",
  summary: `One more name for the caller's account, at most ${limits.accountAliases}; one of another account of its login moves to it.`,
  http: { verb: "POST", path: "/aliases" },
  changes: true,
  params: Type.Object({ alias: Uid }, strict),
  result: Aliases,
  errors: ["unauthenticated", "conflict", "forbidden"],
});

export const aliasesRemove = defineMethod({
  name: "aliases.remove",
  owner: "api",
  summary: "Gives a name of the caller's account back: whoever wants it may have it.",
  http: { verb: "DELETE", path: "/aliases/{alias}" },
  changes: true,
  params: Type.Object({ alias: Uid }, strict),
  result: Aliases,
  errors: ["not_found"],
});
