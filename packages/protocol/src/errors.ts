// The one error table and the one error class that carries its codes.

export interface ErrorRow {
  /** May the same request succeed when it is sent again unchanged? */
  retry: boolean;
  /** HTTP status of the answer. */
  http: number;
  /** MQTT 5 reason code where one is sent. */
  mqtt: number;
  /** What it means, for people. */
  meaning: string;
}

export const errorTable = {
  invalid_packet: { retry: false, http: 400, mqtt: 0x99, meaning: "the packet or a parameter is not of its schema" },
  too_large: { retry: false, http: 413, mqtt: 0x95, meaning: "larger than the limit" },
  rate_limited: { retry: true, http: 429, mqtt: 0x96, meaning: "too many requests; wait, then send again" },
  wrong_partition: {
    retry: false,
    http: 400,
    mqtt: 0x90,
    meaning: "the topic names another partition than the client id's",
  },
  not_found: {
    retry: false,
    http: 404,
    mqtt: 0x83,
    meaning: "no such user, room, message or method, or none that the asker may know of",
  },
  not_member: { retry: false, http: 403, mqtt: 0x87, meaning: "only members of the conversation may do this" },
  blocked: { retry: false, http: 403, mqtt: 0x87, meaning: "the receiver does not take messages from this sender" },
  forbidden: { retry: false, http: 403, mqtt: 0x87, meaning: "this identity may not do this" },
  out_of_order: {
    retry: true,
    http: 409,
    mqtt: 0x83,
    meaning: "the message named in prev is not stored yet; send that first",
  },
  unavailable: {
    retry: true,
    http: 503,
    mqtt: 0x88,
    meaning: "a part is not reachable; the outcome is unknown, send it again",
  },
  pending: { retry: true, http: 409, mqtt: 0x83, meaning: "it is not made yet; ask again" },
  infected: { retry: false, http: 410, mqtt: 0x83, meaning: "malware was found in it; its bytes are removed" },
  internal: { retry: false, http: 500, mqtt: 0x80, meaning: "an unexpected failure; it is in the log" },
  unauthenticated: { retry: false, http: 401, mqtt: 0x86, meaning: "no valid token or password" },
  conflict: { retry: false, http: 409, mqtt: 0x83, meaning: "it exists already, or another change came first" },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** The error of every part: a code of the table, a sentence for people, details for programs. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message?: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message ?? errorTable[code].meaning, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.details = options.details;
  }

  /** Any thrown value as an AppError: unknown ones become `internal`, with the value as cause. */
  static from(thrown: unknown): AppError {
    return thrown instanceof AppError ? thrown : new AppError("internal", undefined, { cause: thrown });
  }

  /** What a caller is shown: code, message, details; never a cause. */
  toWire(): WireError {
    return { code: this.code, message: this.message, ...(this.details ? { details: this.details } : {}) };
  }

  /** Reads what toWire wrote; an unknown code becomes `internal`. */
  static fromWire(error: WireError): AppError {
    const code = Object.hasOwn(errorTable, error.code) ? (error.code as ErrorCode) : "internal";
    return new AppError(code, error.message, error.details ? { details: { ...error.details } } : {});
  }
}

export interface WireError {
  code: string;
  message: string;
  details?: Readonly<Record<string, unknown>>;
}

/** What something was to go out on is closed, a session at the broker or the connection to NATS: it is done again on the next one. */
export function isSessionEnd(error: unknown): boolean {
  return error instanceof AppError && error.code === "unavailable" && error.details?.reason === "closed";
}

/** Is it refused for now only? Then what was asked is asked again. */
export function isForNow({ code }: { code: ErrorCode }): boolean {
  return errorTable[code].retry;
}

/** One answer for a user who is not there and for one whom the asker may not know of. */
export function noUser(uid: string): AppError {
  return new AppError("not_found", `there is no user ${uid}`);
}
