// A message as it is read, whatever is left of it.
import type { Message } from "@parley/protocol";
import type { Static } from "typebox";
import type { Remains } from "../checker/record.ts";

export function remainsOf({ seq, from, id, content, recalled }: Static<typeof Message>): Remains {
  const { type, data } = content as { type: string; data?: unknown };
  return {
    seq,
    from,
    id,
    type,
    text: typeof data === "string" ? data : undefined,
    ended: (recalled as { expired?: boolean } | undefined)?.expired === true,
  };
}
