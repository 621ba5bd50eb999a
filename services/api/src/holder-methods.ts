// messages.pin, unpin and receipts, conversations.setExpiry and mark: asked of the replica of history that holds the conversation.
import {
  conversationsMark,
  conversationsSetExpiry,
  messagesPin,
  messagesReceipts,
  messagesUnpin,
  type NotifyRequest,
  type ReceiptReply,
  subjects,
  withoutDevice,
} from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";
import { askerOf, type Bound, bind } from "./call.ts";
import type { History } from "./history.ts";

export function holderMethods({ history, nats }: { history: History; nats: NatsConnection }): Bound[] {
  const change = (method: typeof messagesPin, event: "pin" | "unpin") =>
    bind(method, async ({ conv, seq }, { caller: { uid, clientId = withoutDevice }, operation }) => {
      const id = `${event}:${operation}`;
      const asked = { event, by: uid, uids: [], seq };
      const reply = await history.change({ conv, id, device: clientId, origin: "api", event: asked });
      return { seq: reply.seq };
    });
  return [
    change(messagesPin, "pin"),
    change(messagesUnpin, "unpin"),
    bind(conversationsSetExpiry, async ({ conv, expiry }, { caller: { uid, clientId = withoutDevice }, operation }) => {
      const id = `expiry:${operation}`;
      const asked = { event: "expiry" as const, by: uid, uids: [], expiry };
      await history.change({ conv, id, device: clientId, origin: "api", event: asked });
      return { conv, expiry };
    }),
    bind(conversationsMark, async (marks, { caller }) => {
      const reply = await history.mark({ ...marks, ...askerOf(caller) });
      tell(nats, reply);
      const { conv, delivered, read } = reply.notice;
      return { conv, delivered, read };
    }),
    bind(messagesReceipts, (place, { caller }) => history.receipts({ ...place, ...askerOf(caller) })),
  ];
}

// Who is not told now has it by `sync`.
function tell(nats: NatsConnection, { notice, tell: uids, devices }: ReceiptReply): void {
  const request: NotifyRequest = { uids, ...(devices && { devices }), channel: "m", packet: notice };
  if ((uids.length > 0 || devices) && natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
}
