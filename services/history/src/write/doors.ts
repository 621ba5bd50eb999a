// Whom users let in, told by api: kept, then obeyed by every writer here before it is answered.
import type { DoorsRequest } from "@parley/protocol";
import type { Holding } from "./holding.ts";
import { concerns, putDoors } from "./refused.ts";
import { pause } from "./writer.ts";

/**
 * Resolves when no message that the doors refuse can be stored by this replica any more. The conversations are read again
 * with what is kept now; a writer that has messages in hand is waited for, as it decided on what it knew before.
 */
export async function takeDoors(holding: Holding, { doors }: DoorsRequest): Promise<object> {
  const { store, shelf, partitions, silenced, blocks, receivers } = holding;
  silenced.take(await putDoors(store, doors));
  blocks.take(doors);
  for (const { owner, account } of doors) if (account !== undefined) receivers.forget(owner);
  const isMeant = concerns(doors);
  shelf.forget(isMeant);
  // One that gives its partition up meanwhile finishes what it has in hand; whoever takes over reads what is kept.
  await Promise.all(
    partitions.busy().map((writer) => pause(writer, () => shelf.forget(isMeant, writer.q)).catch(() => writer.working)),
  );
  return {};
}
