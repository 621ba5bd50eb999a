// Methods that other services own: asked over NATS, the owner's answer passed on as the bytes it is.
import { AppError, type Caller, type Method, type MethodRequest, methodSubject } from "@parley/protocol";
import { type NatsConnection, readJsonAnswer, request } from "@parley/runtime";
import type { TObject, TSchema } from "typebox";

const timeoutMs = 10_000;
const opening = Buffer.from('{"result":');
const closing = "}".charCodeAt(0);

/** The JSON of the result. Throws the owner's AppError, or `unavailable`. */
export async function forward(
  nats: NatsConnection,
  method: Method<TObject, TSchema>,
  caller: Caller,
  params: object,
): Promise<Uint8Array> {
  // With what it is logged in concerns accounts only, and what ends with them.
  const { family: _, issuedAt: _issuedAt, passwordSince: _since, ...known } = caller;
  const asked: MethodRequest = { caller: method.owner === "push" ? caller : known, params };
  const answer = await request(nats, methodSubject(method.name), JSON.stringify(asked), { timeoutMs }).catch(
    (error: unknown) => {
      throw unreachable(method, error);
    },
  );
  const isResult = opening.equals(answer.subarray(0, opening.length)) && answer.at(-1) === closing;
  if (isResult) return answer.subarray(opening.length, answer.length - 1);
  return Buffer.from(JSON.stringify(readJsonAnswer(answer) ?? {}));
}

// Subjects are nobody's business outside.
function unreachable(method: Method<TObject, TSchema>, error: unknown): AppError {
  const { code, details } = AppError.from(error);
  const reason = details?.reason === "timeout" ? "does not answer in time" : "is not reachable";
  return new AppError(code, `${method.owner} ${reason}; the outcome is unknown, send it again`, { cause: error });
}
