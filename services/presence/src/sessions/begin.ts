// A session begins as its device last left it: one that said it is invisible stays so, also after Redis lost everything.
import type { Logger } from "@parley/runtime";
import type { Devices } from "../devices.ts";
import type { SessionChange } from "./change.ts";

export interface Begin {
  /** Begins the session; resolves when it is made or waits. Never rejects. */
  begin(change: SessionChange): Promise<void>;
  /** The device said how it is to be shown. */
  said(clientId: string): void;
  close(): void;
}

const unsureMax = 200_000;
const againMs = 1000;

export function openBegin(parts: {
  devices: Pick<Devices, "isInvisible">;
  change(change: SessionChange): Promise<void>;
  log: Logger;
}): Begin {
  const { devices, change, log } = parts;
  // While the store is away nobody is shown who may be invisible: clientId → uid.
  const unsure = new Map<string, string>();
  let looking = false;

  async function lookAgain(): Promise<void> {
    if (looking || unsure.size === 0) return;
    looking = true;
    try {
      for (const [clientId, uid] of unsure) {
        const invisible = await devices.isInvisible(clientId);
        if (unsure.delete(clientId) && !invisible)
          await change({ op: "state", uid, clientId, at: Date.now(), show: "online" });
      }
    } catch (error) {
      log.debug({ event: "devices_unknown", count: unsure.size, reason: String(error) });
    } finally {
      looking = false;
    }
  }

  const timer = setInterval(() => void lookAgain(), againMs);
  return {
    async begin(begun) {
      const { clientId, uid } = begun;
      const known = await devices.isInvisible(clientId).catch(() => undefined);
      if (known === undefined && unsure.size < unsureMax) unsure.set(clientId, uid);
      await change(known === false ? begun : { ...begun, invisible: true });
    },
    said: (clientId) => void unsure.delete(clientId),
    close: () => clearInterval(timer),
  };
}
