// Firebase's client as push uses it: one access token for all, a hundred connections, and no tries of its own.
import { Agent } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type App, deleteApp, initializeApp } from "firebase-admin/app";
import { getMessaging, type Message } from "firebase-admin/messaging";
import { JWT } from "google-auth-library";

export interface ServiceAccount {
  projectId: string;
  clientEmail: string;
  privateKeyId?: string;
  privateKey: string;
}

/** Where FCM and Google's token endpoint are, if not at Google's own addresses. */
export interface FcmPlace {
  host: string;
  port: number;
  ca?: string | undefined;
}

export interface FcmApp {
  /** Tries once, and answers the message's name. Throws and rejects as the library does. */
  send(message: Message): Promise<string>;
  close(): Promise<void>;
}

const scope = "https://www.googleapis.com/auth/firebase.messaging";
let apps = 0;

export function openApp(account: ServiceAccount, agent: Agent): FcmApp {
  const { projectId, clientEmail: email, privateKeyId: keyId, privateKey: key } = account;
  const google = new JWT({ email, key, ...(keyId && { keyId }), scopes: [scope], transporterOptions: { agent } });
  const credential = {
    async getAccessToken() {
      const { token } = await google.getAccessToken();
      const expiresAt = google.credentials.expiry_date ?? Date.now();
      return { access_token: token ?? "", expires_in: Math.floor((expiresAt - Date.now()) / 1000) };
    },
  };
  const app: App = initializeApp({ projectId, credential, httpAgent: agent }, `push-${++apps}`);
  const messaging = getMessaging(app);
  const inside = messaging as unknown as { messagingRequestHandler: { httpClient: { retry: { maxRetries: number } } } };
  // It would post up to five copies of a notification, and go on with that after its caller has given up.
  inside.messagingRequestHandler.httpClient.retry.maxRetries = 0;
  return {
    send: (message) => messaging.send(message),
    close: () => deleteApp(app),
  };
}

/** Keeps so many connections, to `place` whatever host is asked for. */
export function openAgent(place: FcmPlace | undefined, maxSockets: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets });
  if (place === undefined) return agent;
  const { host, port, ca } = place;
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, connected): Duplex | null | undefined =>
    connect(
      { ...options, host, port, servername: isIP(host) === 0 ? host : "", ...(ca !== undefined && { ca }) },
      connected,
    );
  return agent;
}
