// The desk of a device that was let in, for tests of what its packets come to.

import { openDesk, type UplinkDevice } from "../src/uplink/device.ts";
import type { RefusedDevice } from "../src/uplink/refusals.ts";

/** Its session is new, its connection open. */
export function testDesk(
  said: Pick<RefusedDevice, "clientId" | "username" | "version"> & Partial<RefusedDevice>,
): UplinkDevice {
  const usual = {
    wantsWords: true,
    hasTree: false,
    hasOwnTopics: false,
    expiresAt: undefined,
    maxPacketBytes: Number.POSITIVE_INFINITY,
  };
  return openDesk({ ...usual, ...said }, true, () => true);
}
