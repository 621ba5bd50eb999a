// messages.pin, unpin and receipts, conversations.setExpiry: asked of the replica of history that holds the conversation.
import { conversationsSetExpiry, messagesPin, messagesReceipts, messagesUnpin } from "@parley/protocol";
import { type Bound, bind } from "./call.ts";
import type { History } from "./history.ts";
import { withoutDevice } from "./rooms/room.ts";

export function holderMethods(history: History): Bound[] {
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
    bind(messagesReceipts, (place, { caller: { uid } }) => history.receipts({ ...place, uid })),
  ];
}
