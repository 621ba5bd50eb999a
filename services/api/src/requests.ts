// How api's methods are worked: each once for its request id, however it came.
import { keysCreate, roomsMakeLink } from "@parley/protocol";
import { createOnce, type Once } from "@parley/runtime";
import type { Bound, Call } from "./call.ts";
import { type ApiStore, errorOf } from "./store.ts";

/** These answers hold a secret, which is kept nowhere. */
export function createApiOnce({ requests }: ApiStore, signingKey: Uint8Array): Once {
  const keepsAnswer = ({ name }: { name: string }) => name !== keysCreate.name && name !== roomsMakeLink.name;
  return createOnce({ requests, secret: signingKey, keepsAnswer, errorOf });
}

/** Resolves with the result or an AppError; throws what is unexpected. */
export function perform(once: Once, bound: Bound, params: object, call: Omit<Call, "operation">): Promise<unknown> {
  const { method, work } = bound;
  const request = { method, params, raw: call.raw, caller: call.caller };
  return once(request, ({ operation }) => work(params as never, { ...call, operation }));
}
