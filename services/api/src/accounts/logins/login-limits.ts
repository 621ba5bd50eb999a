// Wrong passwords: so many a minute of an address, and of an address for one user; counted together with those by MQTT.
import { AppError } from "@parley/protocol";
import { type Failures, type LoginFailuresMax, loginCounters } from "@parley/runtime";

export interface LoginLimits {
  /** Has a password checked, unless too many were wrong. A refusal when too many were. */
  guess(username: string, address: string, check: () => Promise<boolean>): Promise<boolean | AppError>;
}

export function createLoginLimits(failures: Failures, max: LoginFailuresMax): LoginLimits {
  return {
    async guess(username, address, check) {
      const guess = await failures.guess(loginCounters(address, username, max), check);
      return "right" in guess ? guess.right === true : tooManyFailures(guess.retryAfterMs);
    },
  };
}

function tooManyFailures(retryAfterMs: number): AppError {
  return new AppError("rate_limited", "too many wrong passwords; wait", { details: { retryAfterMs } });
}
