// What no message tells, asked for by api: somebody wants to be a user's contact, or is one now.
import { AppError, isUid, type PushNoticeRequest, subjects } from "@parley/protocol";
import { type Answering, answerJson, type Logger, type NatsConnection } from "@parley/runtime";
import type { Told } from "./decide-jobs.ts";

const kinds: readonly PushNoticeRequest["kind"][] = ["request", "accepted"];

/** Answered when it is in the queue, for good. Again is harmless: `at` names it. */
export function answerNotices(nats: NatsConnection, notify: (told: Told[]) => Promise<void>, log: Logger): Answering {
  return answerJson<Partial<PushNoticeRequest>>(
    nats,
    subjects.pushNotice,
    "push",
    async ({ uid, kind, by, at }) => {
      const isWhole = uid !== undefined && isUid(uid) && by !== undefined && isUid(by) && Number.isSafeInteger(at);
      if (!isWhole || kind === undefined || !kinds.includes(kind))
        throw new AppError("invalid_packet", "a notice has uid, by, at, and is a request or accepted");
      await notify([{ what: { kind, by, at: at as number }, receivers: [{ uid }] }]);
      return {};
    },
    log,
  );
}
