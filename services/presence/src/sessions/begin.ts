// A session begins as its device last left it: one that said it is invisible stays so, also after Redis lost everything.
import { openRounds } from "@parley/runtime";
import type { Devices } from "../devices.ts";
import type { SessionChange } from "./change.ts";

const lookedUpAtOnce = 200;

/** Begins the session; resolves when it is made or waits. Never rejects. */
export type Begin = (change: SessionChange) => Promise<void>;

/** While the store is away nobody is shown who may be invisible: the session is unsure (`words.ts`). */
export function createBegin(parts: {
  devices: Pick<Devices, "areInvisible">;
  change(change: SessionChange): Promise<void>;
}): Begin {
  const isInvisible = openRounds({
    most: lookedUpAtOnce,
    async work(clientIds: readonly string[]) {
      const known = await parts.devices.areInvisible(clientIds);
      return clientIds.map((clientId) => known.get(clientId) ?? false);
    },
  });
  return async (begun) => {
    const invisible = await isInvisible(begun.clientId).catch(() => undefined);
    if (invisible === undefined) return parts.change({ ...begun, invisible: true, unsure: true });
    await parts.change(invisible ? { ...begun, invisible } : begun);
  };
}
