// What push asks of presence.
import { type PushPresenceRequest, subjects } from "@parley/protocol";
import { type Answering, answerJson, available, type Logger, type NatsConnection } from "@parley/runtime";
import { type ConnectedParts, connectedDevices } from "./connected-devices.ts";
import { type CredentialParts, credentialOf } from "./credential.ts";

type Parts = CredentialParts & ConnectedParts & { nats: NatsConnection; log: Logger };

export function answerPush(parts: Parts, queue: string): Answering[] {
  const { nats, log } = parts;
  return [
    answerJson<{ clientId?: unknown }>(
      nats,
      subjects.connectionCredential,
      queue,
      (asked) => available(() => credentialOf(asked, parts)),
      log,
    ),
    answerJson<PushPresenceRequest>(
      nats,
      subjects.pushPresence,
      queue,
      (asked) => available(() => connectedDevices(parts, asked)),
      log,
    ),
  ];
}
