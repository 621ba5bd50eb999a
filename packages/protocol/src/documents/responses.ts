// What requests are answered, as OpenAPI has it.
import { type ErrorCode, errorTable } from "../errors.ts";
import type { Json, JsonDocument } from "./json-document.ts";

/** Codes that any request may be answered. */
export const everywhere: readonly ErrorCode[] = [
  "invalid_packet",
  "too_large",
  "rate_limited",
  "internal",
  "unavailable",
];

export function jsonContent(schema: Json): Json {
  return { "application/json": { schema } };
}

export const errorContent: Json = jsonContent({ $ref: "#/components/schemas/Error" });

/** What Node refuses before any route sees it. */
const ofBytes: JsonDocument = {
  "408": { description: "`invalid_packet`: the request took too long to arrive", content: errorContent },
  "431": { description: "`too_large`: the headers, or the address with its query", content: errorContent },
};

/** One response a status, with the codes that have it. */
export function responsesOf(codes: readonly ErrorCode[]): JsonDocument {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { http } = errorTable[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  const responses = [...byStatus].map(([status, those]) => [
    String(status),
    {
      description: those.map((code) => `\`${code}\`: ${errorTable[code].meaning}`).join("; "),
      ...(those.some((code) => waits.has(code)) ? { headers: retryAfter } : {}),
      content: errorContent,
    },
  ]);
  return { ...Object.fromEntries(responses), ...ofBytes } as JsonDocument;
}

const waits: ReadonlySet<ErrorCode> = new Set(["rate_limited", "unavailable"]);
const retryAfter: Json = {
  "Retry-After": {
    schema: { type: "integer" },
    description: "seconds; `details.retryAfterMs` has it exactly where it is known",
  },
};
