// Where replies to a connection's requests arrive: one subscription, and a subject of its own for each request. The client library's
// `request` makes an error with its stack for each request that is answered (nats-core 3), which costs more than the rest of it.
import { createInbox, type Msg, type NatsConnection } from "nats";
import { inboxPrefixOf } from "../connections/nats.ts";

/** `undefined`: the server lets this connection have no replies. */
type Replied = (message: Msg | undefined) => void;

export interface Replies {
  /** Answers a subject for one reply, which is told to `replied` unless that is forgotten before. */
  open(replied: Replied): string;
  forget(subject: string): void;
}

const known = new WeakMap<NatsConnection, Replies>();

/** Those of a connection. Throws when it is closed for good. */
export function repliesOf(nats: NatsConnection): Replies {
  const replies = known.get(nats) ?? subscribeReplies(nats);
  known.set(nats, replies);
  return replies;
}

function subscribeReplies(nats: NatsConnection): Replies {
  const waiting = new Map<string, Replied>();
  const inbox = createInbox(inboxPrefixOf(nats));
  let opened = 0;
  nats.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (error) return refuseAll();
      const replied = waiting.get(message.subject);
      if (waiting.delete(message.subject)) replied?.(message);
    },
  });
  // The subscription is no more, whoever may have it again.
  function refuseAll(): void {
    known.delete(nats);
    const all = [...waiting.values()];
    waiting.clear();
    for (const replied of all) replied(undefined);
  }
  return {
    open(replied) {
      opened += 1;
      const subject = `${inbox}.${opened.toString(36)}`;
      waiting.set(subject, replied);
      return subject;
    },
    forget: (subject) => void waiting.delete(subject),
  };
}
