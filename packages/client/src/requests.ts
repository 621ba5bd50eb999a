// Requests over MQTT: sent again with the same id until answered, which every method allows.
import { type AnswerPacket, AppError } from "@parley/protocol";

export interface RequestsOptions {
  publish(packet: object): void;
  nextId(): string;
  /** the largest answer that the device takes, in bytes of the packet */
  maxBytes?: number | undefined;
  /** sent again after this long without an answer; default 5,000 */
  resendMs?: number;
  /** given up after this long; default 30,000 */
  timeoutMs?: number;
  /** requests that may wait for their answer; default 1,000 */
  maxPending?: number;
}

interface Pending {
  packet: object;
  resolve(result: unknown): void;
  reject(error: AppError): void;
  resend: ReturnType<typeof setInterval>;
  giveUp: ReturnType<typeof setTimeout>;
}

export type Requests = ReturnType<typeof startRequests>;

export function startRequests({
  publish,
  nextId,
  maxBytes,
  resendMs = 5_000,
  timeoutMs = 30_000,
  maxPending = 1_000,
}: RequestsOptions) {
  const pending = new Map<string, Pending>();
  let online = false;

  function settle(id: string): Pending | undefined {
    const request = pending.get(id);
    if (!request) return undefined;
    clearInterval(request.resend);
    clearTimeout(request.giveUp);
    pending.delete(id);
    return request;
  }

  const send = (packet: object) => online && publish(packet);

  return {
    request(method: string, params: object): Promise<unknown> {
      if (pending.size >= maxPending)
        return Promise.reject(new AppError("rate_limited", `${pending.size} requests wait for their answer`));
      const id = nextId();
      const packet = { id, method, params, ...(maxBytes !== undefined && { maxBytes }) };
      return new Promise((resolve, reject) => {
        const resend = setInterval(() => send(packet), resendMs);
        const giveUp = setTimeout(() => {
          const details = { reason: online ? "timeout" : "offline" };
          settle(id)?.reject(new AppError("unavailable", `no answer to ${method} in ${timeoutMs} ms`, { details }));
        }, timeoutMs);
        pending.set(id, { packet, resolve, reject, resend, giveUp });
        send(packet);
      });
    },

    /** False when it answers nothing that was asked. */
    answered({ id, result, error }: AnswerPacket): boolean {
      const request = typeof id === "string" ? settle(id) : undefined;
      if (!request) return false;
      if (error) request.reject(AppError.fromWire(error));
      else request.resolve(result);
      return true;
    },

    /** A request whose packet was refused (nack) instead of answered. */
    refused(id: unknown, error: AppError): boolean {
      const request = typeof id === "string" ? settle(id) : undefined;
      request?.reject(error);
      return request !== undefined;
    },

    setOnline(now: boolean): void {
      online = now;
      if (now) for (const { packet } of pending.values()) send(packet);
    },

    close(): void {
      online = false;
      for (const id of [...pending.keys()])
        settle(id)?.reject(new AppError("unavailable", "closed before the answer came"));
    },
  };
}
