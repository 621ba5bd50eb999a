// For an operator: one notification to each of a user's tokens, past the queue, and what became of it in words.
import { AppError, isUid, type PushTestReply, subjects } from "@parley/protocol";
import { type Answering, answerJson, available, type Logger, type NatsConnection } from "@parley/runtime";
import type { Notice } from "./payload/notice.ts";
import { writeNotification } from "./payload/write-notification.ts";
import type { Outcome, Outgoing, Sender } from "./providers/outgoing.ts";
import type { Senders } from "./start-senders.ts";
import { type PushToken, providerOf } from "./tokens/token.ts";
import type { Tokens } from "./tokens/tokens.ts";

export interface TryParts {
  nats: NatsConnection;
  tokens: Pick<Tokens, "list" | "remove">;
  senders: Senders;
  log: Logger;
}

const usefulMs = 60_000;

export function answerTry(parts: TryParts): Answering {
  return answerJson<{ uid?: unknown }>(
    parts.nats,
    subjects.testPush,
    "push",
    ({ uid }) => available(() => tryAll(parts, uid)),
    parts.log,
  );
}

async function tryAll(parts: TryParts, uid: unknown): Promise<PushTestReply> {
  if (typeof uid !== "string" || !isUid(uid)) throw new AppError("invalid_packet", "uid is not the id of a user");
  const tokens = await parts.tokens.list(uid);
  const devices = await Promise.all(
    tokens.map(async (token) => {
      const { clientId, kind, appId } = token;
      const { is, words } = await tryOne(parts, token);
      return { clientId, kind, appId, outcome: is, words };
    }),
  );
  return { devices };
}

async function tryOne({ tokens, senders }: TryParts, token: PushToken): Promise<{ is: string; words: string }> {
  const sender = senders[providerOf(token.kind)] as Sender<Outgoing> | undefined;
  if (sender === undefined)
    return { is: "off", words: `push has no settings for it: ${settingsOf[providerOf(token.kind)]}` };
  const outgoing = writeNotification(testNotice(token), token);
  if (outgoing === undefined) return { is: "off", words: "there is no notification of that kind" };
  const outcome = await sender.send(outgoing);
  if (outcome.is === "gone") await tokens.remove(token.key, outcome.since ?? token.registeredAt);
  return { is: outcome.is, words: wordsOf(outcome) };
}

const settingsOf = {
  apns: "PUSH_APNS_KEY_FILE, PUSH_APNS_KEY_ID and PUSH_APNS_TEAM_ID, or PUSH_APNS_CERTIFICATE_FILE",
  fcm: "PUSH_FCM_SERVICE_ACCOUNT_FILE",
  webpush: "PUSH_WEB_SUBJECT",
} as const;

function testNotice({ uid, clientId, language }: PushToken): Notice {
  const at = Date.now();
  return { kind: "test", uid, clientId, badge: 0, preview: "full", language, at, expiresAt: at + usefulMs };
}

function wordsOf(outcome: Outcome): string {
  switch (outcome.is) {
    case "sent":
      return `the provider has it${outcome.id === undefined ? "" : ` (${outcome.id})`}`;
    case "gone":
      return `the token is good for nothing any more (${outcome.reason}); it is removed`;
    case "later":
      return `the provider does not take it now (${outcome.reason})${waitOf(outcome)}`;
    case "again":
      return `the provider did not take it (${outcome.reason}); try again`;
    case "unknown":
      return `nobody knows whether the provider has it (${outcome.reason})`;
    case "refused":
      return `the provider refuses it (${outcome.reason})`;
    case "misconfigured":
      return `the provider takes nothing of us: ${outcome.reason}`;
  }
}

function waitOf({ afterMs }: { afterMs?: number }): string {
  return afterMs === undefined ? "" : `, but in ${Math.ceil(afterMs / 1_000)} s`;
}
