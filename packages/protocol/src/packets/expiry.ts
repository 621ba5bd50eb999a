// Messages that disappear: when.
import Type, { type Static } from "typebox";
import { limits } from "../limits.ts";

/** How long a message is kept, and from when on: its sending, or its first reading by anybody but its sender. */
export const Expiry = Type.Object(
  {
    seconds: Type.Integer({ minimum: 1, maximum: limits.expirySeconds }),
    from: Type.Union([Type.Literal("sent"), Type.Literal("read")], {
      description: "sent, or read: the first reading by anybody but the sender",
    }),
  },
  { additionalProperties: false },
);
export type Expiry = Static<typeof Expiry>;

/** What a message says of its own end; absent: nothing. */
export function readExpiry({
  expires,
  expiresFrom = "sent",
}: {
  expires?: number;
  expiresFrom?: Expiry["from"];
}): Expiry | undefined {
  return expires === undefined ? undefined : { seconds: expires, from: expiresFrom };
}
