// Methods that api owns: what programs keep for an account and nobody else reads.
import Type from "typebox";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const Name = Type.String({ pattern: "^[a-z0-9.-]{1,32}$", description: "of the program's choice" });
const Version = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "rises with every change; 0: there is nothing",
});
const Value = Type.Record(Type.String({ pattern: "^.{1,256}$" }), Type.Unknown(), {
  additionalProperties: false,
  description: "any fields",
});

export const storageGet = defineMethod({
  name: "storage.get",
  owner: "api",
  summary: "What the caller's programs keep under a name, and nobody else reads.",
  http: { verb: "GET", path: "/storage/{name}" },
  params: Type.Object({ name: Name }, strict),
  result: Type.Object({
    value: Type.Union([Value, Type.Null()]),
    version: Version,
  }),
});

export const storageSet = defineMethod({
  name: "storage.set",
  owner: "api",
  summary:
    "Keeps a value under a name, in place of the one before: an object of at most 16 KiB as JSON, under at most 32 names. With the " +
    "`version` that was read it is a `conflict` where another device has changed it since.",
  http: { verb: "PUT", path: "/storage/{name}" },
  changes: true,
  params: Type.Object({ name: Name, value: Value, version: Type.Optional(Version) }, strict),
  result: Type.Object({ version: Version }),
  errors: ["conflict", "too_large"],
});
