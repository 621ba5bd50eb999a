// What a method is: defined once here, then an HTTP route, an MQTT request, documentation and the SDK's typed call.
import type { Static, TObject, TSchema } from "typebox";
import { type Check, checkOf } from "../check.ts";
import type { ErrorCode } from "../errors.ts";

export type Owner = "history" | "api" | "presence" | "search" | "push";
/** Who may call: a user's token, a server key, the operator (services' secret), or anybody. */
export type Access = "user" | "key" | "operator" | "public";

export interface Method<P extends TObject = TObject, R extends TSchema = TSchema> {
  name: string;
  owner: Owner;
  summary: string;
  http: { verb: "GET" | "POST" | "DELETE" | "PUT"; path: string };
  /** also callable by MQTT request; the rest (login, keys) is HTTP only */
  mqtt: boolean;
  access: Access;
  /** changes something: idempotent by request id for 24 h */
  changes: boolean;
  params: P;
  result: R;
  errors: readonly ErrorCode[];
  checkParams: Check<P>;
}

type Defaults = "mqtt" | "access" | "changes" | "errors" | "checkParams";

/** Fills in what most methods share: callable by MQTT, by users, changing nothing. */
export function defineMethod<P extends TObject, R extends TSchema>(
  method: Omit<Method<P, R>, Defaults> & Partial<Omit<Pick<Method<P, R>, Defaults>, "checkParams">>,
): Method<P, R> {
  return { mqtt: true, access: "user", changes: false, errors: [], ...method, checkParams: checkOf(method.params) };
}

export type ParamsOf<M> = M extends Method<infer P, TSchema> ? Static<P> : never;
export type ResultOf<M> = M extends Method<TObject, infer R> ? Static<R> : never;
