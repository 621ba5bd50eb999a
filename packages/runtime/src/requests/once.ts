// Requests that change something, done once for (uid, client id, request id) for 24 h: written down before the work.
import { createHash, createHmac, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Caller, isForNow, type Method, parseExactly, readsExactly } from "@parley/protocol";
import type { TObject, TSchema } from "typebox";
import { hasPassed } from "../flow/has-passed.ts";

/** How long a request id is remembered. */
export const requestLifeMs = 24 * 3_600_000;

/** How long a request that another replica began is waited for, before it is worked here as well: it may have died. */
const patienceMs = 3_000;
const lookMs = 50;
const pageRequests = 500;
const utf8 = new TextDecoder();

/** By a digest of uid, client id and request id. */
export interface RequestDoc {
  state: "begun" | "done";
  /** digest of method and params, numbers as they were written: an id used for another request is refused */
  of: string;
  /** the id its changes are keyed by */
  operation: string;
  begunAt: number;
  /** whose it is; absent: nobody's, or of a version that did not note it */
  uid?: string;
  answer?: unknown;
}

/** Where a service keeps them: a collection of its store with these indexes. */
export const requestIndexes = { begun: ["begunAt"], uid: ["uid"] } as const;

/** What is asked of that collection (packages/store, `Collection`). */
export interface RequestStore {
  get(key: string): Promise<{ doc: RequestDoc } | undefined>;
  insert(key: string, doc: RequestDoc): Promise<boolean>;
  put(entries: readonly { key: string; doc: RequestDoc }[]): Promise<void>;
  remove(key: string, ifVersion?: number): Promise<boolean>;
  find(query: { index: "begun"; before: number; limit: number }): Promise<{
    items: readonly { key: string; version: number }[];
  }>;
}

/** Forgets what a user asked and was answered. */
export async function removeRequestsOf(requests: UserRequests, uid: string): Promise<void> {
  for (;;) {
    const { items } = await requests.find({ index: "uid", equals: [uid], limit: pageRequests });
    for (const { key } of items) await requests.remove(key);
    if (items.length === 0) return;
  }
}

interface UserRequests {
  find(query: { index: "uid"; equals: [string]; limit: number }): Promise<{ items: readonly { key: string }[] }>;
  remove(key: string): Promise<boolean>;
}

/** One attempt at a request's work. */
export interface Attempt {
  /** What its changes are keyed by: the same when a request is worked again, never the same for another. */
  operation: string;
  /** It was begun before, here or by another replica, and its outcome is not known: part of it may be done. */
  again: boolean;
}

export interface AnyRequest {
  method: Method<TObject, TSchema>;
  params: object;
  /** The JSON object that params were read from, where numbers in it count as they were written. */
  raw?: Uint8Array | undefined;
  caller: Caller;
}

/**
 * Works a request, or answers what it was answered before. `work` returns or throws its refusal as an AppError; of those,
 * what may succeed when it is sent again is worked again under the same operation. Throws what is unexpected.
 */
export type Once = (request: AnyRequest, work: (attempt: Attempt) => unknown) => Promise<unknown>;

export interface OnceOptions {
  requests: RequestStore;
  /** Keys the digests of params that may hold a password. */
  secret?: Uint8Array | string;
  /** False for a method whose answer must not be kept: it is worked again then, under the same operation. */
  keepsAnswer?: (method: AnyRequest["method"]) => boolean;
  /** What the service's own failures are to others; `internal` is thrown as it is. Default `AppError.from`. */
  errorOf?: (thrown: unknown) => AppError;
}

export function createOnce(options: OnceOptions): Once {
  const inHand = new Map<string, Promise<unknown>>();
  return (request, work) => {
    const { requestId } = request.caller;
    if (!request.method.changes || requestId === undefined)
      return attempt(options, () => work({ operation: newOperation(), again: false }));
    const of = fingerprint(request, options.secret ?? "");
    const key = requestKey(request.caller, requestId, of);
    // Of two at once the second waits for the first and then finds its answer.
    const turn = (inHand.get(key) ?? Promise.resolve()).then(() =>
      attempt(options, () => once(options, { key, of, request, work })),
    );
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (inHand.get(key) === settled) inHand.delete(key);
      });
    inHand.set(key, settled);
    return turn;
  };
}

/** Forgets the requests that began more than `requestLifeMs` before `nowMs` (unix). */
export async function pruneRequests(
  requests: RequestStore,
  nowMs: number,
  stopped: () => boolean = () => false,
): Promise<void> {
  while (!stopped()) {
    const { items } = await requests.find({ index: "begun", before: nowMs - requestLifeMs, limit: pageRequests });
    for (const { key, version } of items) await requests.remove(key, version);
    if (items.length < pageRequests) return;
  }
}

interface Turn {
  key: string;
  of: string;
  request: AnyRequest;
  work: (attempt: Attempt) => unknown;
}

async function once(options: OnceOptions, turn: Turn): Promise<unknown> {
  const { requests, keepsAnswer = () => true } = options;
  const { key, of, request, work } = turn;
  const { uid } = request.caller;
  const begun: RequestDoc = {
    state: "begun",
    of,
    operation: newOperation(),
    begunAt: Date.now(),
    ...(uid === "" ? {} : { uid }),
  };
  const isNew = await requests.insert(key, begun);
  if (!isNew) {
    const known = await answered(requests, key);
    if (known === undefined) return once(options, turn);
    if (known.of !== of)
      return new AppError("conflict", "this request id was used for another request within the last 24 h");
    if (known.state === "done" && known.answer !== undefined) return known.answer;
    // Begun and never answered, or an answer that is not kept: every change is idempotent by its operation.
    begun.operation = known.operation;
    begun.begunAt = known.begunAt;
  }
  const result = await attempt(options, () => work({ operation: begun.operation, again: !isNew }));
  if (result instanceof AppError) {
    // What was refused for good changed nothing: the id may be used again.
    if (!isForNow(result) && result.code !== "internal") await requests.remove(key);
    return result;
  }
  const answer = keepsAnswer(request.method) ? { answer: result ?? {} } : {};
  await requests.put([{ key, doc: { ...begun, state: "done", ...answer } }]);
  return result;
}

/** The request as it is kept; one that was begun just now is another replica's, and waited for. */
async function answered(requests: RequestStore, key: string): Promise<RequestDoc | undefined> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const known = (await requests.get(key))?.doc;
    const isUnderWay = known?.state === "begun" && !hasPassed(known.begunAt, patienceMs);
    if (!isUnderWay || performance.now() >= deadline) return known;
    await sleep(lookMs);
  }
}

/** A refusal is an answer, however it came; what is unexpected is thrown. */
async function attempt({ errorOf = AppError.from }: OnceOptions, work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (thrown) {
    const error = errorOf(thrown);
    if (error.code === "internal") throw thrown;
    return error;
  }
}

function newOperation(): string {
  return randomUUID().replaceAll("-", "");
}

function fingerprint({ method, params, raw }: AnyRequest, secret: Uint8Array | string): string {
  return createHmac("sha256", secret)
    .update(JSON.stringify([method.name, raw === undefined ? params : exactParams(params, raw)]))
    .digest("hex");
}

// In the order of params, so that the digest is the same whether or not there was anything to read again.
function exactParams(params: object, raw: Uint8Array): object {
  const text = utf8.decode(raw);
  return readsExactly(text) ? params : { ...params, ...(parseExactly(text) as object) };
}

// Nobody in particular (register) has no ids of its own: there the request itself is part of the key.
function requestKey({ uid, clientId }: Caller, requestId: string, of: string): string {
  const scope = uid === "" && clientId === undefined ? of : "";
  return createHash("sha256")
    .update(JSON.stringify([uid, clientId ?? null, requestId, scope]))
    .digest("hex");
}
