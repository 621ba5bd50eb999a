// A session begins as its device last left it: one that said it is invisible stays so, also after Redis lost everything.
import type { Devices } from "../devices.ts";
import type { SessionChange } from "./change.ts";

/** Begins the session; resolves when it is made or waits. Never rejects. */
export type Begin = (change: SessionChange) => Promise<void>;

/** While the store is away nobody is shown who may be invisible: the session is unsure (`words.ts`). */
export function createBegin(parts: {
  devices: Pick<Devices, "areInvisible">;
  change(change: SessionChange): Promise<void>;
}): Begin {
  return async (begun) => {
    const { clientId } = begun;
    const known = await parts.devices.areInvisible([clientId]).catch(() => undefined);
    if (known === undefined) return parts.change({ ...begun, invisible: true, unsure: true });
    await parts.change(known.get(clientId) ? { ...begun, invisible: true } : begun);
  };
}
