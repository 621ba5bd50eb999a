// Sends what the outbox says is due, and keeps the promises of send().
import { type AckPacket, AppError, type ErrorCode, type NackPacket } from "@parley/protocol";
import { Outbox, type OutboxOptions, type OutgoingMessage } from "./outbox.ts";
import type { OutboxStore } from "./outbox-store.ts";

/** A message is stored, at this position: nothing can take it away any more. */
export type Ack = Pick<AckPacket, "id" | "conv" | "seq" | "ts">;

export interface SenderOptions extends OutboxOptions {
  store?: OutboxStore | undefined;
  /** what the store had kept from before */
  kept?: OutgoingMessage[] | undefined;
  publish(packet: object, done: (error?: Error & { code?: number }) => void): void;
  onSent(ack: Ack): void;
  onFailed(failure: { id: string; error: AppError }): void;
}

interface Promised {
  resolve(ack: Ack): void;
  reject(error: AppError): void;
}

export type Sender = ReturnType<typeof startSender>;

export function startSender({ store, kept = [], publish, onSent, onFailed, ...options }: SenderOptions) {
  const outbox = new Outbox(options);
  const promised = new Map<string, Promised>();
  let online = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  for (const message of kept) outbox.add(message);

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
    forget(ack.id);
    promised.get(ack.id)?.resolve(ack);
    promised.delete(ack.id);
    onSent(ack);
    pump();
  }

  function nacked(id: string, error: AppError): boolean {
    const outcome = outbox.nacked(id, error.code, performance.now());
    if (!outcome) return false;
    if (outcome.settled) {
      forget(id);
      promised.get(id)?.reject(error);
      promised.delete(id);
      onFailed({ id, error });
    }
    pump();
    return true;
  }

  // Kept too long it is only sent once more, which is safe: no reason to fail what has succeeded.
  function forget(id: string): void {
    store?.remove(id).catch(() => {});
  }

  return {
    /** Messages that wait for their ack. */
    size: () => outbox.size,

    async send(message: OutgoingMessage): Promise<Ack> {
      outbox.checkRoom();
      if (promised.has(message.id) || !outbox.add(message))
        throw new AppError("conflict", `a message with the id ${message.id} is on its way already`);
      const answer = new Promise<Ack>((resolve, reject) => promised.set(message.id, { resolve, reject }));
      answer.catch(() => {});
      await store?.put(message);
      pump();
      return answer;
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

    close(): void {
      online = false;
      clearTimeout(timer);
      const why = store ? "it is kept and goes out at the next start" : "the outcome is unknown";
      for (const { reject } of promised.values())
        reject(new AppError("unavailable", `closed before the message was acknowledged; ${why}`));
      promised.clear();
    },
  };
}

/** What a PUBACK's reason code means for the message. */
function brokerRefusal(reason: number): AppError {
  const codes: Record<number, ErrorCode> = { 149: "too_large", 151: "rate_limited" };
  return new AppError(codes[reason] ?? "unavailable", `the broker refused the packet (reason ${reason})`);
}
