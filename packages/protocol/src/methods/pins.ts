// Pins of a conversation. api owns the changes, which history decides at the log; history owns the list.
import Type from "typebox";
import { Conv } from "../ids.ts";
import { limits } from "../limits.ts";
import { Message } from "../packets/downlink.ts";
import { Pin, RoomChanged } from "../rooms.ts";
import { defineMethod } from "./method.ts";
import { Next, pageToken } from "./pages.ts";

const strict = { additionalProperties: false } as const;
const Place = { conv: Conv, seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) };

export const messagesPin = defineMethod({
  name: "messages.pin",
  owner: "api",
  summary:
    "Pins a message for all: in a room whoever its setting `pin` names may, between two users either. " +
    `A conversation has at most ${limits.pinnedMessages} pins.`,
  http: { verb: "PUT", path: "/conversations/{conv}/messages/{seq}/pin" },
  changes: true,
  params: Type.Object(Place, strict),
  result: RoomChanged,
  errors: ["not_member", "not_found", "forbidden", "blocked", "conflict"],
});

export const messagesUnpin = defineMethod({
  name: "messages.unpin",
  owner: "api",
  summary: "Takes a pin away, whoever made it; without one nothing changes. Those who may pin may.",
  http: { verb: "DELETE", path: "/conversations/{conv}/messages/{seq}/pin" },
  changes: true,
  params: Type.Object(Place, strict),
  result: RoomChanged,
  errors: ["not_member", "not_found", "forbidden", "blocked"],
});

export const messagesPins = defineMethod({
  name: "messages.pins",
  owner: "history",
  summary: "The pinned messages of a conversation that the caller may read, the latest pin first.",
  http: { verb: "GET", path: "/conversations/{conv}/pins" },
  params: Type.Object({ conv: Conv, page: pageToken(64) }, strict),
  result: Type.Object({
    pins: Type.Array(Type.Object({ ...Pin.properties, message: Message })),
    next: Next,
  }),
  errors: ["not_member", "not_found"],
});
