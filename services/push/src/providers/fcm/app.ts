// Firebase's client as push uses it: one access token for all, a hundred connections, and no tries of its own.
import { Agent } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { deleteApp, initializeApp } from "firebase-admin/app";
import { getMessaging, type Message } from "firebase-admin/messaging";
import type { ServiceAccount } from "../key-files.ts";
import { type Access, openAccess } from "./access.ts";

/** Where FCM and Google's token endpoint are, if not at Google's own addresses. */
export interface FcmPlace {
  host: string;
  port: number;
  ca?: string | undefined;
}

export interface FcmApp {
  /** Until it has resolved nothing is sent: who gives up before may be sure of that. */
  access: Access["get"];
  /** Tries once, and answers the message's name. Throws and rejects as the library does. */
  send(message: Message): Promise<string>;
  close(): Promise<void>;
}

let apps = 0;

export function openApp(account: ServiceAccount, agent: Agent, deadlineMs: number): FcmApp {
  const { projectId } = account;
  const access = openAccess(account, agent, deadlineMs);
  const credential = { getAccessToken: access.get };
  const app = initializeApp({ projectId, credential, httpAgent: agent }, `push-${++apps}`);
  const messaging = getMessaging(app);
  const inside = messaging as unknown as { messagingRequestHandler: { httpClient: { retry: { maxRetries: number } } } };
  // It would post up to five copies of a notification, and go on with that after its caller has given up.
  inside.messagingRequestHandler.httpClient.retry.maxRetries = 0;
  return {
    access: access.get,
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
  const servername = isIP(host) === 0 ? host : "";
  agent.createConnection = (options, connected): Duplex | null | undefined =>
    connect({ ...options, host, port, servername, ...(ca !== undefined && { ca }) }, connected);
  return agent;
}
