// Receipts: confirmed on arrival, the marks moved by history, then told to those it names.
import {
  AppError,
  checkReceipt,
  decodeObject,
  messagesTopic,
  type ReceiptReply,
  type ReceiptRequest,
} from "@parley/protocol";
import type { AskHolder } from "@parley/runtime";
import type { Admit } from "../admit/admit.ts";
import { misplaced } from "../admit/decode.ts";
import { tooMuch, type UnderWay } from "../admit/under-way.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { PublishMany } from "../deliver/publish.ts";
import type { Take } from "../ingest/partition.ts";

export interface ReceiptParts {
  askHolder: AskHolder;
  admit: Admit;
  acknowledge: Acknowledge;
  underWay: UnderWay;
  publishMany: PublishMany;
}

export function createTakeReceipt({ askHolder, admit, acknowledge, underWay, publishMany }: ReceiptParts): Take {
  return async (packet, topic, confirm) => {
    confirm();
    const parsed = decodeObject(packet.payload);
    const receipt = parsed instanceof AppError ? parsed : checkReceipt(parsed);
    const refused = receipt instanceof AppError ? receipt : (misplaced(topic) ?? admit(topic));
    if (receipt instanceof AppError || refused) return acknowledge.nack(topic, idOf(parsed), refused as AppError);
    const end = underWay.begin(packet.payload.length);
    if (!end) return acknowledge.nack(topic, receipt.id ?? null, tooMuch());
    try {
      const { notice, tell } = await askHolder.json<ReceiptReply>(
        "receipt",
        receipt.conv,
        requestOf(receipt, topic.uid),
      );
      if (tell.length > 0) await publishMany(tell.map(messagesTopic), Buffer.from(JSON.stringify(notice)));
    } catch (thrown) {
      await acknowledge.nack(topic, receipt.id ?? null, AppError.from(thrown));
    } finally {
      end();
    }
  };
}

function requestOf(
  { conv, delivered, read }: Exclude<ReturnType<typeof checkReceipt>, AppError>,
  uid: string,
): ReceiptRequest {
  return { conv, uid, ...(delivered === undefined ? {} : { delivered }), ...(read === undefined ? {} : { read }) };
}

function idOf(parsed: object): string | null {
  return "id" in parsed && typeof parsed.id === "string" ? parsed.id.slice(0, 64) : null;
}
