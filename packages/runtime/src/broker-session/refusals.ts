// What a broker did not take of a publish: which topics, by which code, and whether another attempt can help.
import { AppError } from "@parley/protocol";
import { ReasonCode, reasonName } from "./reason-codes.ts";

export type Refusal = {
  topic: string;
  /** The PUBACK's, or the one the broker would have answered had it been sent. */
  reasonCode: number;
  /** The same publish will be refused again. Others may pass: a broker that is full, or asks a service that is away. */
  final: boolean;
};

const finalCodes: ReadonlySet<number> = new Set([
  ReasonCode.topicNameInvalid,
  ReasonCode.packetTooLarge,
  ReasonCode.payloadFormatInvalid,
  ReasonCode.retainNotSupported,
  ReasonCode.qosNotSupported,
]);

export function refusal(topic: string, reasonCode: number): Refusal {
  return { topic, reasonCode, final: finalCodes.has(reasonCode) };
}

/** `too_large` when that is all there is to it, else `unavailable`. The message tells the first one. */
export function refusalError(refused: Refusal[]): AppError {
  const tooLarge = refused.every(({ reasonCode }) => reasonCode === ReasonCode.packetTooLarge);
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : "";
  const message = `the broker refused the publish: ${reasonName(refused[0]!.reasonCode)}${more}`;
  return new AppError(tooLarge ? "too_large" : "unavailable", message, { details: { reason: "refused", refused } });
}

/** The refused topics of an error of `publish` or `publishMany`; empty if it failed for another reason. */
export function refusalsOf(error: unknown): readonly Refusal[] {
  const details = error instanceof AppError ? error.details : undefined;
  return details?.reason === "refused" ? (details.refused as Refusal[]) : [];
}
