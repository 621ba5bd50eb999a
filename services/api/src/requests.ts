// Requests that change something, done once for (uid, client id, request id) for 24 h (DESIGN §3): written before the work.
import { createHash, createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, errorTable } from "@parley/protocol";
import type { Collection } from "@parley/store";
import { type Bound, type Call, newOperation } from "./call.ts";
import { errorOf, type RequestDoc } from "./store.ts";

/** How long a request id is remembered. */
export const requestLifeMs = 24 * 3_600_000;

/** How long a request that another replica began is waited for, before it is worked here as well: it may have died. */
const patienceMs = 3_000;
const lookMs = 50;

export type Perform = (bound: Bound, params: object, call: Omit<Call, "operation">) => Promise<unknown>;

/** Performs calls. Resolves with the result or an AppError; throws what is unexpected. */
export function createRequests(requests: Collection<RequestDoc>, signingKey: Uint8Array): Perform {
  const inHand = new Map<string, Promise<unknown>>();
  return (bound, params, call) => {
    const { requestId } = call.caller;
    if (!bound.method.changes || requestId === undefined) return work(bound, params, call, newOperation());
    const of = fingerprint(bound.method.name, params, signingKey);
    const key = requestKey(call, requestId, of);
    // Of two at once the second waits for the first and then finds its answer.
    const turn = (inHand.get(key) ?? Promise.resolve()).then(() => once(requests, key, of, { bound, params, call }));
    const settled = turn.then(
      () => {},
      () => {},
    );
    inHand.set(key, settled);
    settled.then(() => inHand.get(key) === settled && inHand.delete(key)).catch(() => {});
    return turn;
  };
}

async function once(
  requests: Collection<RequestDoc>,
  key: string,
  of: string,
  { bound, params, call }: { bound: Bound; params: object; call: Omit<Call, "operation"> },
): Promise<unknown> {
  const begun: RequestDoc = { state: "begun", of, operation: newOperation(), begunAt: Date.now() };
  if (!(await requests.insert(key, begun))) {
    const known = await answered(requests, key);
    if (known === undefined) return once(requests, key, of, { bound, params, call });
    if (known.of !== of)
      return new AppError("conflict", "this request id was used for another request within the last 24 h");
    if (known.state === "done" && known.answer !== undefined) return known.answer;
    // Begun and never answered, or an answer that is not kept: every change is idempotent by its operation.
    begun.operation = known.operation;
    begun.begunAt = known.begunAt;
  }
  const result = await work(bound, params, call, begun.operation);
  if (result instanceof AppError) {
    // What may succeed when it is sent again goes on under the same operation; what was refused changed nothing.
    if (!errorTable[result.code].retry && result.code !== "internal") await requests.remove(key);
    return result;
  }
  const answer = bound.method.name === "keys.create" ? {} : { answer: result ?? {} };
  await requests.put([{ key, doc: { ...begun, state: "done", ...answer } }]);
  return result;
}

/** The request as it is kept; one that was begun just now is another replica's, and waited for. */
async function answered(requests: Collection<RequestDoc>, key: string): Promise<RequestDoc | undefined> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const known = (await requests.get(key))?.doc;
    const isUnderWay = known?.state === "begun" && Math.abs(Date.now() - known.begunAt) < patienceMs;
    if (!isUnderWay || performance.now() >= deadline) return known;
    await sleep(lookMs);
  }
}

async function work(bound: Bound, params: object, call: Omit<Call, "operation">, operation: string): Promise<unknown> {
  try {
    return await bound.work(params as never, { ...call, operation });
  } catch (thrown) {
    const error = errorOf(thrown);
    if (error.code === "internal") throw thrown;
    return error;
  }
}

// Keyed, because params may hold a password.
function fingerprint(method: string, params: object, signingKey: Uint8Array): string {
  return createHmac("sha256", signingKey)
    .update(JSON.stringify([method, params]))
    .digest("hex");
}

// Nobody in particular (register) has no ids of its own: there the request itself is part of the key.
function requestKey({ caller }: Omit<Call, "operation">, requestId: string, of: string): string {
  const scope = caller.uid === "" && caller.clientId === undefined ? of : "";
  return createHash("sha256")
    .update(JSON.stringify([caller.uid, caller.clientId ?? null, requestId, scope]))
    .digest("hex");
}
