// The promises of send(), by message id, and the refusals that were already told.
import type { AckPacket, AppError } from "@parley/protocol";

/** A message is stored, at this position: nothing can take it away any more. */
export type Ack = Pick<AckPacket, "id" | "conv" | "seq" | "ts">;

/** Refusals that are remembered, so that the second word about one (PUBACK and nack) is known for what it is. */
const refusedMax = 1_000;

export type Promises = ReturnType<typeof startPromises>;

export function startPromises() {
  const open = new Map<string, PromiseWithResolvers<Ack>>();
  const refused = new Set<string>();
  return {
    /** The promise of this message: one, however often it is asked for. */
    of(id: string): Promise<Ack> {
      const made = open.get(id) ?? Promise.withResolvers<Ack>();
      open.set(id, made);
      // Nobody has to listen: events tell the same.
      made.promise.catch(() => {});
      return made.promise;
    },

    keep(ack: Ack): void {
      open.get(ack.id)?.resolve(ack);
      open.delete(ack.id);
    },

    break(id: string, error: AppError): void {
      open.get(id)?.reject(error);
      open.delete(id);
      refused.add(id);
      const [oldest = ""] = refused;
      if (refused.size > refusedMax) refused.delete(oldest);
    },

    wasBroken: (id: string): boolean => refused.has(id),
  };
}
