// Messages that are sent later, as their sender sees them.
import Type, { type Static } from "typebox";
import { Conv } from "../ids.ts";

const Ts = Type.Integer({ minimum: 0, description: "unix time, ms" });
const Refusal = Type.Object(
  { code: Type.String(), message: Type.String() },
  { description: "why it was refused at its time" },
);

export const Scheduled = Type.Object({
  id: Type.String({ description: "the message's own, also when it is sent" }),
  conv: Conv,
  at: Ts,
  state: Type.Union([Type.Literal("waiting"), Type.Literal("sending"), Type.Literal("failed")]),
  message: Type.Object({ to: Type.String() }, { additionalProperties: true }),
  error: Type.Optional(Refusal),
});
export type Scheduled = Static<typeof Scheduled>;

/** To all devices of its sender: what became of a message that is, or was, to be sent later. */
export const ScheduledNotice = Type.Object({
  type: Type.Literal("scheduled"),
  id: Type.String(),
  conv: Conv,
  at: Ts,
  state: Type.Union([
    Type.Literal("waiting"),
    Type.Literal("failed"),
    Type.Literal("sent"),
    Type.Literal("unscheduled"),
  ]),
  error: Type.Optional(Refusal),
  seq: Type.Optional(Type.Integer({ minimum: 1, description: "where it stands, when it is sent" })),
});
export type ScheduledNotice = Static<typeof ScheduledNotice>;
