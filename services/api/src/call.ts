// One call of a method, as the functions that do the work see it, however it came.
import type { AppError, Caller, Method, ParamsOf, ResultOf } from "@parley/protocol";
import type { TObject, TSchema } from "typebox";

export interface Call {
  caller: Caller;
  /** What the call's changes are keyed by: the same when a request is worked again, never the same for another. */
  operation: string;
  /** Where it came from, as far as that is known. */
  address: string;
  /** The request's body as it came, where there was one: numbers in it are exact. */
  raw?: Uint8Array | undefined;
  /** Address of MQTT over WebSocket as the caller reaches it. */
  ws: string;
}

/** What guesses are counted by: the address, or, where none is known, the device. */
export function guesserOf({ address, caller }: Pick<Call, "address" | "caller">): string {
  return address || (caller.clientId ?? "");
}

/** A method and the function that does its work; made by `bind`. */
export interface Bound {
  method: Method<TObject, TSchema>;
  work(params: never, call: Call): unknown;
}

/** Binds a function to a method with the method's own types. A refusal is returned or thrown as an AppError. */
export function bind<M extends Method<TObject, TSchema>>(
  method: M,
  work: (params: ParamsOf<M>, call: Call) => ResultOf<M> | AppError | Promise<ResultOf<M> | AppError>,
): Bound {
  return { method, work };
}

/** As history is asked for a caller. */
export function askerOf({ uid, clientId }: Caller): Pick<Caller, "uid" | "clientId"> {
  return { uid, ...(clientId !== undefined && { clientId }) };
}
