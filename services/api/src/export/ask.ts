// What an export is made of: the answers of the methods that the user could call itself, so that it has what the user may read and no more.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Caller, type Method, type ParamsOf, parseExactly, type ResultOf } from "@parley/protocol";
import type { NatsConnection } from "@parley/runtime";
import type { TObject, TSchema } from "typebox";
import type { Bound } from "../call.ts";
import { forward } from "../http/forward.ts";
import { errorOf } from "../store.ts";

export interface AskParts {
  nats: NatsConnection;
  /** api's own methods */
  methods: readonly Bound[];
}

/** Throws the refusal; what is `unavailable` is asked again for half a minute. For JSON.stringify: numbers come as they were written. */
export type Ask = <M extends Method<TObject, TSchema>>(method: M, params: ParamsOf<M>) => Promise<ResultOf<M>>;

const patienceMs = 30_000;
const againMs = 1_000;

/** It is the user who is asked for, whichever device asks. `isRevoked` is asked before each question: an ended session is told nothing more. */
export function createAsk(
  { nats, methods }: AskParts,
  {
    caller: { clientId: _, ...caller },
    isRevoked,
    stopped,
  }: { caller: Caller; isRevoked(): boolean; stopped: AbortSignal },
): Ask {
  const askOnce = async <M extends Method<TObject, TSchema>>(method: M, params: ParamsOf<M>) => {
    const bound = methods.find((one) => one.method.name === method.name);
    if (!bound)
      return parseExactly(Buffer.from(await forward(nats, method, caller, params as object)).toString()) as ResultOf<M>;
    const result = await bound.work(params as never, { caller, operation: "", address: "", ws: "" });
    if (result instanceof AppError) throw result;
    return result as ResultOf<M>;
  };
  return async (method, params) => {
    for (const until = Date.now() + patienceMs; ; await sleep(againMs, undefined, { signal: stopped })) {
      stopped.throwIfAborted();
      if (isRevoked()) throw sessionEnded();
      try {
        return await askOnce(method, params);
      } catch (error) {
        if (errorOf(error).code !== "unavailable" || Date.now() > until) throw error;
      }
    }
  };
}

export function sessionEnded(): AppError {
  return new AppError("unauthenticated", "the session of this export was ended");
}

interface Paged<Row> {
  rows: readonly Row[];
  next: string | null;
}

/** The rows of all pages. */
export async function* pagesOf<Row>(ask: (page: { page?: string }) => Promise<Paged<Row>>): AsyncGenerator<Row> {
  for (let page: string | null | undefined; page !== null; ) {
    const { rows, next }: Paged<Row> = await ask(page === undefined ? {} : { page });
    yield* rows;
    page = next;
  }
}
