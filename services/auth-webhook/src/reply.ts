// What both brokers' hooks are made of: strict reads of a body's fields, and the answer with how long it may be kept.

export type HookBody = Record<string, unknown>;

export interface HookReply {
  /** HTTP status; absent: 200 */
  status?: number;
  /** JSON */
  body: string;
  /** seconds for Cache-Control; 0: not to be kept */
  maxAge: number;
}

export function reply(body: object): HookReply {
  return { body: JSON.stringify(body), maxAge: 0 };
}

export function isRecord(value: unknown): value is HookBody {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text field. With `null` as fallback it may be null or missing, then undefined. Throws TypeError naming the field. */
export function text(body: HookBody, field: string): string;
export function text(body: HookBody, field: string, fallback: null): string | undefined;
export function text(body: HookBody, field: string, fallback?: null): string | undefined {
  const value = body[field];
  if (typeof value === "string") return value;
  if (fallback === null && (value === null || value === undefined)) return undefined;
  throw new TypeError(`${field} is not text`);
}

/** A flag; EMQX writes it as text. Missing is false. */
export function flag(body: HookBody, field: string): boolean {
  const value = body[field];
  if (value === undefined || value === false || value === "false") return false;
  if (value === true || value === "true") return true;
  throw new TypeError(`${field} is not true or false`);
}

export function number(body: HookBody, field: string): number {
  const value = body[field];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`${field} is not a number`);
}
