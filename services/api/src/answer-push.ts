// What push asks of api.
import { type PushPeopleRequest, type SignedThumbnailsRequest, subjects } from "@parley/protocol";
import { type Answering, answerJson, available, type Logger, type NatsConnection } from "@parley/runtime";
import { type SignedParts, signedThumbnails } from "./files/signed.ts";
import { pushPeople } from "./people/for-push.ts";

export interface PushParts extends SignedParts {
  nats: NatsConnection;
  log: Logger;
}

export function answerPush(parts: PushParts, queue: string): Answering[] {
  const { nats, log, store } = parts;
  return [
    answerJson<Partial<PushPeopleRequest> | null>(nats, subjects.pushPeople, queue, (asked) => available(async () => pushPeople(store, asked?.asked)), log), // biome-ignore format: one line reads better
    answerJson<Partial<SignedThumbnailsRequest> | null>(nats, subjects.signedThumbnails, queue, (asked) => available(async () => signedThumbnails(parts, asked?.asked)), log), // biome-ignore format: one line reads better
  ];
}
