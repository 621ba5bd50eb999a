// Told by history that members of a room changed: cached lists that are older are forgotten. The word may be lost.
import { allMembersSubject, type MembersChanged } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import { parseJson } from "../requests/request.ts";
import type { Members } from "./members.ts";

export function followMembersChanged(nats: NatsConnection, members: Members): { close(): Promise<void> } {
  const subscription = nats.subscribe(allMembersSubject, {
    callback: (error, message) => {
      if (error) return;
      const { conv, memberSeq } = parseJson(message.data) as MembersChanged;
      members.changed(conv, memberSeq);
    },
  });
  return { close: async () => subscription.unsubscribe() };
}
