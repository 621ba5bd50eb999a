// Methods that presence owns: the caller's devices.
import Type from "typebox";
import { ClientId } from "../ids.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;

export const devicesList = defineMethod({
  name: "devices.list",
  owner: "presence",
  summary: "The caller's devices.",
  http: { verb: "GET", path: "/devices" },
  params: Type.Object({}, strict),
  result: Type.Object({
    devices: Type.Array(
      Type.Object({
        clientId: ClientId,
        online: Type.Boolean(),
        lastSeen: Type.Union([Type.Integer({ description: "unix ms" }), Type.Null()]),
        createdAt: Type.Integer(),
      }),
    ),
  }),
});

export const devicesRemove = defineMethod({
  name: "devices.remove",
  owner: "presence",
  summary: "Forgets a device: its tokens are revoked, its connection and session ended.",
  http: { verb: "DELETE", path: "/devices/{clientId}" },
  changes: true,
  params: Type.Object({ clientId: ClientId }, strict),
  result: Type.Object({}),
  errors: ["not_found"],
});
