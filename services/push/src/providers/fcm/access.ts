// Google's access token for a service account: asked for once for all who wait, kept until it is about to end.
import type { Agent } from "node:https";
import { JWT } from "google-auth-library";
import type { ServiceAccount } from "../key-files.ts";

/** As firebase-admin takes it. */
export interface AccessToken {
  access_token: string;
  expires_in: number;
}

export interface Access {
  /** Rejects with what Google says, or after the deadline. */
  get(): Promise<AccessToken>;
}

const scope = "https://www.googleapis.com/auth/firebase.messaging";
/** firebase-admin asks again five minutes before the end; it is never to wait for us. */
const renewBeforeMs = 6 * 60_000;

export function openAccess(account: ServiceAccount, agent: Agent, deadlineMs: number): Access {
  const { clientEmail: email, privateKeyId: keyId, privateKey: key } = account;
  let known: { token: string; expiresAt: number } | undefined;
  let asking: Promise<void> | undefined;

  // A client of its own each time: one that is not answered gives its silence to all that ask later.
  async function ask(): Promise<void> {
    const transporterOptions = { agent, timeout: deadlineMs, retryConfig: { retry: 0 } };
    const google = new JWT({ email, key, ...(keyId && { keyId }), scopes: [scope], transporterOptions });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    });
    const { token } = await Promise.race([google.getAccessToken(), late]).finally(() => clearTimeout(timer));
    const { expiry_date: expiresAt } = google.credentials;
    if (!token || !expiresAt) throw new Error("an answer without a token");
    known = { token, expiresAt };
  }

  return {
    async get() {
      if (known === undefined || known.expiresAt - Date.now() < renewBeforeMs) {
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await asking;
      }
      const { token = "", expiresAt = 0 } = known ?? {};
      return { access_token: token, expires_in: Math.floor((expiresAt - Date.now()) / 1000) };
    },
  };
}
