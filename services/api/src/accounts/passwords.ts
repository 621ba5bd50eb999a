// Passwords: argon2id, two at a time, addresses in turn and so many waiting, so that logins starve nobody.
import { hash, verify } from "@node-rs/argon2";
import { AppError } from "@parley/protocol";
import { addressKey, openTurns } from "@parley/runtime";

// OWASP password storage: argon2id, 19 MiB, two passes, one lane.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const atOnce = 2;
const waitingMax = 200;

export interface Passwords {
  /** `address`: for whom, as addresses have their turns one after the other. */
  hash(password: string, address: string): Promise<string>;
  /**
   * Takes as long for a missing hash (nobody of that name, no password) as for a wrong password. `waitMs`: how long it may
   * wait for its turn, about.
   */
  verify(passwordHash: string | null | undefined, password: string, address: string, waitMs?: number): Promise<boolean>;
  waiting(): number;
}

/** Both throw `rate_limited` when too many wait already, or it waited too long. */
export async function createPasswords(): Promise<Passwords> {
  const dummy = await hash("nobody's password", parameters);
  const turns = openTurns({ atOnce, waitingMax });
  const inTurn = async <T>(address: string, work: () => Promise<T>, until = Number.POSITIVE_INFINITY): Promise<T> => {
    const done = await turns.take({ key: addressKey(address), isWanted: () => performance.now() < until });
    if (done === undefined) throw new AppError("rate_limited", "too many logins at once; try again");
    try {
      return await work();
    } finally {
      done();
    }
  };
  return {
    hash: (password, address) => inTurn(address, () => hash(password.normalize("NFC"), parameters)),
    verify: async (passwordHash, password, address, waitMs = Number.POSITIVE_INFINITY) => {
      const until = performance.now() + waitMs;
      for (const form of formsOf(password)) {
        const right = await inTurn(address, () => verify(passwordHash ?? dummy, form), until);
        if (right) return typeof passwordHash === "string";
      }
      return false;
    },
    waiting: turns.waiting,
  };
}

/**
 * The same characters are typed as different code points: macOS decomposes what others compose. Hashes are of NFC; those of
 * earlier versions are of what was typed then.
 */
function formsOf(password: string): Set<string> {
  return new Set([password.normalize("NFC"), password, password.normalize("NFD")]);
}
