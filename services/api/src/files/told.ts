// Who uploaded a file is told, on all devices, what was made of it.
import { type AttachmentNotice, type NotifyRequest, subjects } from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";
import type { ApiStore, ContentDoc } from "../store.ts";
import { describe } from "./attachments.ts";

/** Of more equal files the others are not told of. */
const toldMax = 100;

/** Best effort: a device that misses it asks for `attachments.info`. */
export async function tellUploaders(
  { store, nats }: { store: ApiStore; nats: NatsConnection },
  content: ContentDoc,
): Promise<void> {
  const { items } = await store.attachments.find({ index: "blob", equals: [content.blob], limit: toldMax });
  if (!natsConnected(nats)) return;
  for (const { key, doc } of items) {
    const packet: AttachmentNotice = { type: "attachment", attachment: describe(key, doc, content) };
    const request: NotifyRequest = { uids: [doc.uid], channel: "m", packet };
    nats.publish(subjects.notify, JSON.stringify(request));
  }
}
