// How often may be connected and guessed. What counts against somebody is what he did himself: nobody shuts out others.
import {
  addressKey,
  type Failures,
  type Guess,
  type LoginFailuresMax,
  loginCounters,
  openTokenBuckets,
} from "@parley/runtime";

export interface ConnectRates {
  /** Has this device, whose credentials were right, connected too often from this address? */
  tooOften(clientId: string, address: string): boolean;
  /** Counts a connect of a device whose credentials are right. */
  connected(clientId: string, address: string): void;
  /** Counts a connect of somebody without an account: has this address too many of them? */
  strangerTooOften(address: string): boolean;
  /** Has a password checked, unless too many were wrong: of this address, or of this address for this user. */
  guess(address: string, username: string, check: () => Promise<boolean | undefined>): Promise<Guess>;
}

export interface RateLimits {
  /** connects a minute */
  perDevice: number;
  /** of one address without an account */
  strangers: number;
  failures: LoginFailuresMax;
}

const devices = 100_000;
const addresses = 50_000;

export function openConnectRates(limits: RateLimits, failures: Failures): ConnectRates {
  const connects = openTokenBuckets({ rate: limits.perDevice / 60, burst: limits.perDevice, keys: devices });
  const strangers = openTokenBuckets({ rate: limits.strangers / 60, burst: limits.strangers, keys: addresses });
  const device = (clientId: string, address: string) => `${addressKey(address)} ${clientId}`;
  return {
    tooOften: (clientId, address) => connects.peek(device(clientId, address)) > 0,
    connected: (clientId, address) => void connects.take(device(clientId, address)),
    strangerTooOften: (address) => strangers.take(addressKey(address)) > 0,
    guess: (address, username, check) => failures.guess(loginCounters(address, username, limits.failures), check),
  };
}
