// How often may be called over HTTP: a token bucket each device and user, and one each address for who shows no token.
import { AppError, type Caller } from "@parley/protocol";
import { addressKey, openTokenBuckets } from "@parley/runtime";

export interface Rates {
  /** A refusal: the caller's device or user has used up its burst. Applications and the operator have none. */
  refuseCaller(caller: Caller): AppError | undefined;
  /** A refusal: the address has used up what callers without a valid token have. Such a token is never refused for it. */
  refuseStranger(address: string): AppError | undefined;
}

interface PerSecond {
  rate: number;
  burst: number;
}

/** A user's devices together. */
const devicesOfUser = 4;
const keys = 50_000;

export function createRates(limits: { device: PerSecond; stranger: PerSecond }): Rates {
  const { device, stranger } = limits;
  const devices = openTokenBuckets({ ...device, keys });
  const users = openTokenBuckets({ rate: device.rate * devicesOfUser, burst: device.burst * devicesOfUser, keys });
  const strangers = openTokenBuckets({ ...stranger, keys });
  return {
    refuseCaller({ uid, clientId, via }) {
      if (via !== "http" || uid === "") return undefined;
      return tooOften(devices.take(clientId ?? uid) || users.take(uid));
    },
    refuseStranger: (address) => tooOften(strangers.take(addressKey(address))),
  };
}

function tooOften(retryAfterMs: number): AppError | undefined {
  return retryAfterMs > 0 ? new AppError("rate_limited", undefined, { details: { retryAfterMs } }) : undefined;
}
