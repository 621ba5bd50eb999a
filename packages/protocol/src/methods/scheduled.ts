// Methods that api owns: messages that are sent later.
import Type from "typebox";
import { PacketId, To } from "../ids.ts";
import { limits } from "../limits.ts";
import { Scheduled } from "../packets/scheduled.ts";
import { defineMethod } from "./method.ts";
import { Next, pageToken } from "./pages.ts";

const strict = { additionalProperties: false } as const;
const At = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: `unix time, ms: later than now, at most ${limits.scheduledDays} days`,
});
const Later = Type.Object(
  {
    id: Type.Optional(PacketId),
    to: To,
    content: Type.Object({ type: Type.String() }, { additionalProperties: true }),
  },
  { additionalProperties: true, description: "as it would be sent now, without `prev`" },
);

export const messagesSchedule = defineMethod({
  name: "messages.schedule",
  owner: "api",
  summary:
    "Sends a message at a later time, whether or not a device is connected then. What would be refused now is refused; " +
    `what is refused then stays in the list as failed. A user has at most ${limits.scheduled}.`,
  http: { verb: "POST", path: "/scheduled" },
  changes: true,
  params: Type.Object({ at: At, message: Later }, strict),
  result: Scheduled,
  errors: ["not_found", "not_member", "blocked", "forbidden", "conflict", "too_large"],
});

export const messagesScheduled = defineMethod({
  name: "messages.scheduled",
  owner: "api",
  summary: "The caller's messages that wait for their time, or failed at it, the earliest first.",
  http: { verb: "GET", path: "/scheduled" },
  params: Type.Object({ page: pageToken(512) }, strict),
  result: Type.Object({
    scheduled: Type.Array(Scheduled),
    next: Next,
  }),
});

export const messagesReschedule = defineMethod({
  name: "messages.reschedule",
  owner: "api",
  summary:
    "Changes when a scheduled message is sent, or what is sent (its `id` stays). One that is being sent is a `conflict`.",
  http: { verb: "PUT", path: "/scheduled/{id}" },
  changes: true,
  params: Type.Object({ id: PacketId, at: Type.Optional(At), message: Type.Optional(Later) }, strict),
  result: Scheduled,
  errors: ["not_found", "not_member", "blocked", "forbidden", "conflict", "too_large"],
});

export const messagesUnschedule = defineMethod({
  name: "messages.unschedule",
  owner: "api",
  summary: "Takes a scheduled message back: it is not sent. One that is being sent is a `conflict`.",
  http: { verb: "DELETE", path: "/scheduled/{id}" },
  changes: true,
  params: Type.Object({ id: PacketId }, strict),
  result: Type.Object({ id: PacketId }),
  errors: ["not_found", "conflict"],
});
