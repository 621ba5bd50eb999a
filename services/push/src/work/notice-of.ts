// A notice, made of a job and what is known of it. Pure.
import { type PushJob, parseConv } from "@parley/protocol";
import type { Notice } from "../payload/notice.ts";
import { ringMs } from "../payload/urgency.ts";
import type { Known } from "./known.ts";

/** `ttlMs`: how long it is of use, but for a call. */
export function noticeOf(job: PushJob, language: string, known: Known, ttlMs: number): Notice {
  const { kind, uid, clientId, conv, seq, at } = job;
  const { state, message, badge, from, person, settings, thumbnailUrl } = known;
  return {
    kind,
    uid,
    clientId,
    ...(conv !== undefined && { conv }),
    ...(seq !== undefined && { seq }),
    ...(message && kind !== "invitation" && { id: message.id, content: message.content }),
    ...(from !== undefined && { from: { uid: from, name: person?.name ?? from } }),
    ...roomOf(job, known),
    ...(state?.mentioned && { mentioned: true }),
    badge,
    ...(state !== undefined && { unread: state.unread }),
    preview: settings.preview,
    language,
    ...(thumbnailUrl !== undefined && { thumbnailUrl }),
    at,
    expiresAt: at + (kind === "call" ? ringMs : ttlMs),
  };
}

function roomOf({ conv }: PushJob, { state, room }: Known): Pick<Notice, "room"> {
  const conversation = conv === undefined ? undefined : parseConv(conv);
  if (conversation?.kind !== "room") return {};
  return { room: { id: conversation.roomId, name: state?.name ?? room ?? "" } };
}
