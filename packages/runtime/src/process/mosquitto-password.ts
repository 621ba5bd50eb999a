// A login of Mosquitto as its file of passwords holds it.
import { pbkdf2Sync, randomBytes } from "node:crypto";

/** The line of a file of passwords, in mosquitto_passwd's format `$7$iterations$salt$hash` (PBKDF2, SHA-512). */
export function passwordLine(username: string, password: string): string {
  // One iteration: the secret is 32 random bytes, which no number of iterations makes harder to guess, and mosquitto
  // hashes at every connect.
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 1, 64, "sha512");
  return `${username}:$7$1$${salt.toString("base64")}$${hash.toString("base64")}`;
}
