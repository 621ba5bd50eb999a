// What a call is answered with: `{io, Code, Data}`. A code is of the few words here, never of a user's text: a web page runs it.
import type { AppError, ErrorCode } from "../../../errors.ts";
import { Atom, type Term, Tuple } from "../bert/term.ts";

const encoder = new TextEncoder();

export function binary(text: string): Term {
  return encoder.encode(text);
}

/** `{Name, …}` */
export function tuple(name: string, ...elements: Term[]): Tuple {
  return new Tuple([new Atom(name), ...elements]);
}

export function io(code: Term, data: Term = binary("")): Tuple {
  return tuple("io", code, data);
}

/** `{io, {ok, Word}, <<>>}` */
export function ok(word: string, data?: Term): Tuple {
  return io(tuple("ok", new Atom(word)), data);
}

/** `{io, {ok2, Word, What}, <<>>}` */
export function ok2(word: string, what: Term): Tuple {
  return io(tuple("ok2", new Atom(word), what));
}

/** `{io, {error, Word}, <<>>}` */
export function refusal(word: string): Tuple {
  return io(tuple("error", new Atom(word)));
}

/** What an error is called, where the call has no word of its own for it. */
const words: Readonly<Record<ErrorCode, string>> = {
  invalid_packet: "invalid_data",
  too_large: "too_large",
  rate_limited: "rate_limited",
  wrong_partition: "internal",
  not_found: "not_found",
  not_member: "permission_denied",
  blocked: "banned",
  forbidden: "permission_denied",
  out_of_order: "unavailable",
  unavailable: "unavailable",
  pending: "unavailable",
  infected: "invalid_data",
  internal: "internal",
  unauthenticated: "not_authorized",
  conflict: "conflict",
};

export type OwnWords = Partial<Record<ErrorCode, string>>;

export function wordOf({ code }: Pick<AppError, "code">, own: OwnWords = {}): string {
  return own[code] ?? words[code];
}
