// Wrong passwords: so many a minute of an address, and of an address for one user; counted together with those by MQTT.
import { AppError } from "@parley/protocol";
import { addressKey, type Failures } from "@parley/runtime";
import { foldName } from "./names.ts";

export interface LoginLimits {
  /**
   * Has a password checked, unless too many were wrong. A refusal when too many were. A user has no counter alone:
   * strangers would fill it.
   */
  guess(username: string, address: string, check: () => Promise<boolean>): Promise<boolean | AppError>;
}

export interface FailuresMax {
  /** a minute */
  ofAddress: number;
  forUser: number;
}

export function createLoginLimits(failures: Failures, max: FailuresMax): LoginLimits {
  return {
    async guess(username, address, check) {
      const from = addressKey(address);
      const counters = [
        { key: `login ${from}`, max: max.ofAddress },
        { key: `login ${from} ${foldName(username)}`, max: max.forUser },
      ];
      const guess = await failures.guess(counters, check);
      return "right" in guess ? guess.right === true : tooManyFailures(guess.retryAfterMs);
    },
  };
}

function tooManyFailures(retryAfterMs: number): AppError {
  return new AppError("rate_limited", "too many wrong passwords; wait", { details: { retryAfterMs } });
}
