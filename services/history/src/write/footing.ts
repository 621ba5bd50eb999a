// Whether a partition is surely this replica's: who cannot be sure asks the store whom users let in, as api may know only
// of another holder, and what was decided too long ago is decided anew.
import type { AppendItem } from "@parley/protocol";
import { sureMs } from "@parley/runtime";
import { StoreError } from "@parley/store";
import type { Shelf } from "./conversation.ts";
import type { Silenced } from "./silenced.ts";

export interface FootingParts {
  readonly q: number;
  /** Until when (performance.now()) nobody else can hold the partition. */
  sureUntil(q: number): number;
  shelf: Shelf;
  silenced: Silenced;
  /** another holds the partition */
  lost: boolean;
}

/** What a decision stands on. */
export interface Footing {
  isSure: boolean;
  /** performance.now() */
  since: number;
}

/** Right before it is decided. Nothing is looked up where the partition is surely ours. */
export async function takeFooting(
  parts: FootingParts,
  items: readonly Pick<AppendItem, "conv" | "from">[],
): Promise<Footing> {
  const footing = { isSure: isSure(parts), since: performance.now() };
  if (!footing.isSure)
    await Promise.all([
      parts.shelf.readDoors(new Set(items.map(({ conv }) => conv))),
      parts.silenced.look(new Set(items.map(({ from }) => from))),
    ]);
  return footing;
}

/** Right before the commit: throws where a door may have been told to another holder since. It is to be decided anew then. */
export function keepFooting(parts: FootingParts, { isSure: wasSure, since }: Footing): void {
  if (wasSure ? isSure(parts) : performance.now() - since <= sureMs) return;
  throw new StoreError("unavailable", `partition ${parts.q} may be another replica's by now`);
}

function isSure({ q, sureUntil, lost }: FootingParts): boolean {
  return !lost && performance.now() < sureUntil(q);
}
