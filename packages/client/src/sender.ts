// Sends what the outbox says is due, and keeps the promises of send().
import { AppError, type ErrorCode, type NackPacket } from "@parley/protocol";
import { Outbox, type OutboxOptions, type OutgoingMessage } from "./outbox.ts";
import type { OutboxStore } from "./outbox-store.ts";
import { isSendable } from "./outgoing.ts";
import { type Ack, type Promises, startPromises } from "./promises.ts";

export interface SenderOptions extends OutboxOptions {
  store?: OutboxStore | undefined;
  /** what the store had kept from before */
  kept?: OutgoingMessage[] | undefined;
  publish(packet: object, done: (error?: Error & { code?: number }) => void): void;
  onSent(ack: Ack): void;
  onFailed(failure: { id: string; error: AppError }): void;
}

export type Sender = ReturnType<typeof startSender>;

export function startSender({ store, kept = [], publish, onSent, onFailed, ...options }: SenderOptions) {
  const outbox = new Outbox(options);
  const promises = startPromises();
  const writes = collectPending();
  let online = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  takeKept(kept);

  function takeKept(messages: readonly OutgoingMessage[]): void {
    for (const message of messages) {
      if (isSendable(message)) outbox.add(message);
      else {
        forget(message.id);
        onFailed({ id: message.id, error: new AppError("invalid_packet", "what was kept of it cannot be sent") });
      }
    }
  }

  function pump(): void {
    clearTimeout(timer);
    if (!online) return;
    for (const packet of outbox.due(performance.now()) as { id: string }[])
      publish(packet, (error) => {
        if (typeof error?.code === "number") nacked(packet.id, brokerRefusal(error.code));
      });
    const next = outbox.nextDue();
    if (next !== undefined) timer = setTimeout(pump, Math.max(1, next - performance.now()));
  }

  function acked({ id, conv, seq, ts }: Ack): void {
    if (!outbox.acked(id)) return;
    const ack = { id, conv, seq, ts };
    forget(id);
    promises.keep(ack);
    onSent(ack);
    pump();
  }

  function nacked(id: string, error: AppError): boolean {
    const { retryAfterMs } = error.details ?? {};
    const waitMs = typeof retryAfterMs === "number" ? retryAfterMs : 0;
    const outcome = outbox.nacked(id, error.code, performance.now(), waitMs);
    if (!outcome) return promises.wasBroken(id);
    if (outcome.settled) {
      forget(id);
      promises.break(id, error);
      onFailed({ id, error });
    }
    pump();
    return true;
  }

  // Kept too long it is only sent once more, which is safe: no reason to fail what has succeeded.
  function forget(id: string): void {
    if (store) writes.add(store.remove(id).catch(() => {}));
  }

  return {
    /** Messages that wait for their ack. */
    size: () => outbox.size,

    /** The messages that wait for their ack, in the order of `send`. */
    unsent: () => outbox.messages(),

    async send(message: OutgoingMessage): Promise<Ack> {
      if (takeIn(outbox, message)) writes.add(keep(store, message, outbox, promises).then(pump));
      return promises.of(message.id);
    },

    acked,
    /** False when it refuses no message of ours. */
    nacked({ id, code, message, details }: NackPacket): boolean {
      if (typeof id !== "string") return false;
      return nacked(id, AppError.fromWire({ code, message, ...(details ? { details: { ...details } } : {}) }));
    },

    setOnline(now: boolean): void {
      if (online && !now) outbox.disconnected();
      online = now;
      pump();
    },

    /**
     * Sends nothing any more. Without a store, a message that was never sent never will be: its promise is rejected.
     * The others may be stored, or go out at the next start: theirs stay open, because neither answer would be true.
     * Resolves when the store has taken what it was told: another program may use it then.
     */
    async close(): Promise<void> {
      online = false;
      clearTimeout(timer);
      if (!store) breakUnsent(outbox, promises);
      await writes.settled();
    },
  };
}

/** What was begun and may not be done; none of it rejects. */
function collectPending() {
  const pending = new Set<Promise<void>>();
  return {
    add(work: Promise<void>): void {
      pending.add(work);
      void work.finally(() => pending.delete(work));
    },
    settled: () => Promise.all(pending),
  };
}

/** False when it is on its way already. Throws when there is no room, or when that one is another message. */
function takeIn(outbox: Outbox, message: OutgoingMessage): boolean {
  const first = outbox.find(message.id);
  if (first) checkSame(message, first);
  else outbox.checkRoom();
  return outbox.add(message, "storing");
}

// A message goes out once its store has it: what cannot be kept is refused before anybody has seen it.
async function keep(
  store: OutboxStore | undefined,
  message: OutgoingMessage,
  outbox: Outbox,
  promises: Promises,
): Promise<void> {
  try {
    await store?.put(message);
    outbox.stored(message.id);
  } catch (cause) {
    outbox.drop(message.id);
    const why = `the message could not be kept, and is not sent: ${cause}`;
    promises.break(message.id, new AppError("unavailable", why, { cause }));
    await store?.remove(message.id).catch(() => {});
  }
}

function breakUnsent(outbox: Outbox, promises: Promises): void {
  for (const { id } of outbox.messages())
    if (outbox.drop(id))
      promises.break(id, new AppError("unavailable", "the client was closed before the message was sent"));
}

/** A message that is on its way already gets one more listener; another one with its id is refused. */
function checkSame({ id, packet }: OutgoingMessage, first: OutgoingMessage): void {
  if (JSON.stringify(packet) === JSON.stringify(first.packet)) return;
  throw new AppError("conflict", `another message with the id ${id} is on its way`);
}

/** What a PUBACK's reason code means for the message: only what can never become true again is final. */
function brokerRefusal(reason: number): AppError {
  const codes: Record<number, ErrorCode> = {
    149: "too_large",
    150: "rate_limited",
    151: "rate_limited",
    153: "invalid_packet",
  };
  return new AppError(codes[reason] ?? "unavailable", `the broker refused the packet (reason ${reason})`);
}
