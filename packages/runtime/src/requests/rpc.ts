// Methods over NATS: `rpc.{method}` carries {caller, params}, answered by {result} or {error}.
import {
  AppError,
  type Caller,
  type Method,
  type MethodRequest,
  methodSubject,
  type ParamsOf,
  type ResultOf,
} from "@parley/protocol";
import type { TObject, TSchema } from "typebox";
import type { NatsConnection } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import type { Attempt, Once } from "./once.ts";
import { type Answering, answer, parseJson, readJsonAnswer, request } from "./request.ts";

/** A method and the function that does its work; made by `handle`. */
export interface MethodHandler {
  method: Method<TObject, TSchema>;
  work(params: never, caller: Caller, attempt: Attempt): unknown;
}

/** A result that is JSON text already: it is passed on as it is, never parsed and built again. */
export class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Binds a function to a method, with the method's own types. A refusal may be returned or thrown as an AppError. */
export function handle<M extends Method<TObject, TSchema>>(
  method: M,
  work: (params: ParamsOf<M>, caller: Caller, attempt: Attempt) => Result<M> | Promise<Result<M>>,
): MethodHandler {
  return { method, work };
}

type Result<M> = ResultOf<M> | JsonText | AppError;

/**
 * Serves methods, each replica of `queue` (the owner's name) taking its share. Params are checked here against the
 * method's schema. A method that changes something is done once for each request id. An unknown error is logged with its
 * cause and answered as `internal`.
 */
export function serveMethods(
  nats: NatsConnection,
  options: {
    queue: string;
    handlers: readonly MethodHandler[];
    /** needed where one of the methods changes something */
    once?: Once;
    log: Logger;
  },
): Answering {
  const { queue, handlers, once = atOnce, log } = options;
  const unkept = handlers.find(({ method }) => method.changes && options.once === undefined);
  if (unkept) throw new Error(`${unkept.method.name} changes something: its requests must be kept`);
  const served = handlers.map((handler) => {
    const subject = methodSubject(handler.method.name);
    return answer(nats, subject, queue, (payload) => serve(handler, once, payload), log);
  });
  return {
    async close() {
      await Promise.all(served.map((one) => one.close()));
    },
  };
}

/**
 * Calls a method of whichever service owns it. Throws the owner's AppError, or `unavailable` with `details.reason` as
 * `request` does.
 */
export async function callMethod<M extends Method<TObject, TSchema>>(
  nats: NatsConnection,
  method: M,
  caller: Caller,
  params: ParamsOf<M>,
  options: { timeoutMs: number },
): Promise<ResultOf<M>> {
  const asked: MethodRequest = { caller, params };
  const bytes = await request(nats, methodSubject(method.name), JSON.stringify(asked), options);
  return (readJsonAnswer(bytes) as { result: ResultOf<M> }).result;
}

async function serve({ method, work }: MethodHandler, once: Once, payload: Uint8Array): Promise<string> {
  const asked = readRequest(payload);
  const { caller } = asked;
  const params = method.checkParams(asked.params ?? {});
  if (params instanceof AppError) throw params;
  const result = await once({ method, params, caller }, async (attempt) => {
    const made = await work(params as never, caller, attempt);
    // What changes something is kept as it was answered, and text is no document.
    return method.changes && made instanceof JsonText ? JSON.parse(made.text) : made;
  });
  if (result instanceof AppError) throw result;
  if (result instanceof JsonText) return `{"result":${result.text}}`;
  return JSON.stringify({ result: result ?? {} });
}

const atOnce: Once = async (_, work) => work({ operation: "", again: false });

function readRequest(payload: Uint8Array): MethodRequest {
  const asked = parseJson(payload) as MethodRequest;
  if (typeof asked?.caller?.uid !== "string") throw new AppError("invalid_packet", "the request names no caller");
  return asked;
}
