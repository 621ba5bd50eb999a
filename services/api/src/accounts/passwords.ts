// Passwords: argon2id, two at a time and a bounded queue, so that logins never starve the rest.

import { hash, verify } from "@node-rs/argon2";
import { AppError } from "@parley/protocol";

// OWASP password storage: argon2id, 19 MiB, two passes, one lane.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const atOnce = 2;
const queueMax = 200;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long for a missing hash (nobody of that name, no password) as for a wrong password. */
  verify(passwordHash: string | null | undefined, password: string): Promise<boolean>;
  waiting(): number;
}

/** Both throw `rate_limited` when too many wait already. */
export async function createPasswords(): Promise<Passwords> {
  const dummy = await hash("nobody's password", parameters);
  const queue: (() => void)[] = [];
  let running = 0;
  const taken = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (queue.length >= queueMax) throw new AppError("rate_limited", "too many logins at once; try again");
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
  return {
    hash: (password) => taken(() => hash(password.normalize("NFC"), parameters)),
    verify: async (passwordHash, password) => {
      for (const form of formsOf(password))
        if (await taken(() => verify(passwordHash ?? dummy, form))) return typeof passwordHash === "string";
      return false;
    },
    waiting: () => queue.length,
  };
}

/**
 * The same characters are typed as different code points: macOS decomposes what others compose. Hashes are of NFC; those of
 * earlier versions are of what was typed then.
 */
function formsOf(password: string): Set<string> {
  return new Set([password.normalize("NFC"), password, password.normalize("NFD")]);
}
