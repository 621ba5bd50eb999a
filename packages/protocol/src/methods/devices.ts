// Methods that presence owns: the caller's devices.
import Type, { type Static } from "typebox";
import { AnyClientId, DeviceKind, displayText } from "../ids.ts";
import { defineMethod } from "./method.ts";

const strict = { additionalProperties: false } as const;
const AddressClass = Type.Union([Type.Literal("loopback"), Type.Literal("private"), Type.Literal("public")], {
  description: "where it connected from the last time; the address itself is not kept",
});
export type AddressClass = Static<typeof AddressClass>;

const DeviceRow = Type.Object({
  clientId: AnyClientId,
  name: Type.String({ description: "as the user called it, else what the client id has behind the uid" }),
  kind: Type.String({
    description: "browser, node, cli …, as its program says; mqtt where none says, http where it never connected",
  }),
  dialect: Type.Optional(
    Type.String({ description: "the protocol that it speaks, where it is another one than Parley's own" }),
  ),
  address: Type.Union([AddressClass, Type.Null()]),
  online: Type.Boolean(),
  lastSeen: Type.Union([Type.Integer(), Type.Null()], {
    description:
      "unix ms: when its last connection ended, or it last logged in or refreshed its token, the later of the two",
  }),
  createdAt: Type.Integer({ description: "unix ms" }),
});
export type DeviceRow = Static<typeof DeviceRow>;

export const devicesList = defineMethod({
  name: "devices.list",
  owner: "presence",
  summary: "The caller's devices.",
  http: { verb: "GET", path: "/devices" },
  params: Type.Object({}, strict),
  result: Type.Object({ devices: Type.Array(DeviceRow) }),
});

export const devicesUpdate = defineMethod({
  name: "devices.update",
  owner: "presence",
  summary: "Calls a device by a name, or with an empty one no longer; or says what kind of program it is.",
  http: { verb: "PUT", path: "/devices/{clientId}" },
  changes: true,
  params: Type.Object(
    {
      clientId: AnyClientId,
      name: Type.Optional(displayText({ maxLength: 64 })),
      kind: Type.Optional(DeviceKind),
    },
    strict,
  ),
  result: DeviceRow,
  errors: ["not_found"],
});

export const devicesRemove = defineMethod({
  name: "devices.remove",
  owner: "presence",
  summary: "Forgets a device: its tokens are revoked, its connection and session ended.",
  http: { verb: "DELETE", path: "/devices/{clientId}" },
  changes: true,
  params: Type.Object({ clientId: AnyClientId }, strict),
  result: Type.Object({}),
  errors: ["not_found"],
});

export const devicesRemoveOthers = defineMethod({
  name: "devices.removeOthers",
  owner: "presence",
  summary: "The same for every device of the caller but the one that asks.",
  http: { verb: "DELETE", path: "/devices" },
  changes: true,
  params: Type.Object({}, strict),
  result: Type.Object({ removed: Type.Array(AnyClientId) }),
});
