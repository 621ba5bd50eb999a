// What a device is told of its requests, on its own topic: `rcode` is a number as HTTP has them, `rmsg` says it in words.
import { type AppError, errorTable } from "../../../errors.ts";
import { readJsonHead } from "../../../json-head.ts";
import type { Said } from "../../dialect.ts";
import { answersTopic } from "./topics.ts";

/** What of a request its answer repeats. */
export interface Asked {
  req_id?: string | number | undefined;
  /** the request's verb, or the type of what was published */
  type: string;
  ch_id?: string | undefined;
}

/** Of a request that was done; `query_result` and the like besides. */
export interface Done {
  rcode: 200 | 201;
  rmsg: string;
  ch_id?: string;
  query_result?: readonly object[];
  /** there is more than the answer holds */
  more?: true;
}

export function writeDone(clientId: string, { req_id, type }: Asked, done: Done): Said {
  return { topic: answersTopic(clientId), payload: JSON.stringify({ req_id, type, ...done }) };
}

export function writeRefusal(clientId: string, { req_id, type, ch_id }: Asked, { code, message }: AppError): Said {
  const answer = { req_id, type, rcode: errorTable[code].http, rmsg: message, ch_id };
  return { topic: answersTopic(clientId), payload: JSON.stringify(answer) };
}

/** `req_id` of a payload that is perhaps not whole, or no JSON. */
export function requestIdIn(payload: Uint8Array): string | number | undefined {
  const id = readJsonHead(payload).get("req_id");
  return typeof id === "string" && (id.length > 64 || !id.isWellFormed()) ? undefined : id;
}
