// What the device asks history: by MQTT, or by HTTP where the question or the answer is too large for a packet.
import { AppError, historyGet, limits, type Method, type ParamsOf, type ResultOf, sync } from "@parley/protocol";

export interface AskHistoryParts {
  byMqtt<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  byHttp<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
}

export type AskHistory = ReturnType<typeof startAskHistory>;

/** Room for the request around its cursors. */
const mostBytesByMqtt = limits.packetBytes - 4_096;

export function startAskHistory({ byMqtt, byHttp }: AskHistoryParts) {
  /** A page ends before the size that the device takes; only a single message may be larger than that. */
  async function ask<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    try {
      return await byMqtt(method, params);
    } catch (error) {
      if (AppError.from(error).code !== "too_large") throw error;
      return byHttp(method, params);
    }
  }

  return {
    get: (params: ParamsOf<typeof historyGet>) => ask(historyGet, params),

    sync: (params: ParamsOf<typeof sync>) =>
      JSON.stringify(params.cursors ?? {}).length > mostBytesByMqtt ? byHttp(sync, params) : ask(sync, params),

    /** conv → last seq, over all conversations the user has or had a part in. */
    async heads(): Promise<Record<string, number>> {
      const heads: Record<string, number> = {};
      let page: string | null = null;
      do {
        const answer: ResultOf<typeof sync> = await ask(sync, { limit: 1, ...(page === null ? {} : { page }) });
        for (const { conv, lastSeq, messages } of answer.conversations)
          heads[conv] = Math.max(lastSeq, messages.at(-1)?.seq ?? 0);
        page = answer.next;
      } while (page !== null);
      return heads;
    },
  };
}
