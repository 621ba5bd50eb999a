// Step 1: how much a device may send, and how much of a refusal it is told; counted here, because a device has one router.
import { AppError, type Device } from "@parley/protocol";
import { openTokenBuckets } from "@parley/runtime";

const devicesKept = 100_000;

export interface Admit {
  /** Counts a packet; the refusal when the device sends more than it may. */
  packet(device: Device): AppError | undefined;
  /** May one more refusal for the rate be told, as many as the device may send? An answer to each would double a flood. */
  mayTell(device: Device): boolean;
  /** May one that names no packet be told? One a second says all there is to say. */
  mayTellNameless(device: Device): boolean;
}

/** `rate` packets a second and device, `burst` at once. `now` in ms. */
export function createAdmit(limits: { rate: number; burst: number; now?: () => number }): Admit {
  const packets = openTokenBuckets({ ...limits, keys: devicesKept });
  const told = openTokenBuckets({ ...limits, keys: devicesKept });
  const toldNameless = openTokenBuckets({ ...limits, rate: 1, burst: 1, keys: devicesKept });
  return {
    packet({ clientId }) {
      const retryAfterMs = packets.take(clientId);
      if (retryAfterMs === 0) return undefined;
      return new AppError("rate_limited", `more than ${limits.rate} packets a second`, { details: { retryAfterMs } });
    },
    mayTell: ({ clientId }) => told.take(clientId) === 0,
    mayTellNameless: ({ clientId }) => toldNameless.take(clientId) === 0,
  };
}
