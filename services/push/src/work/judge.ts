// Whether a job is still to be said, and why not. Pure: everything it needs was read before.
import type { PushJob } from "@parley/protocol";
import { ringMs } from "../payload/urgency.ts";
import type { UserSettings } from "../settings.ts";
import type { Known } from "./known.ts";

/** Why nothing is sent: the label of `parley_push_skipped_total`. */
export type SkipReason =
  | "token_gone"
  | "sent_already"
  | "merged"
  | "expired"
  | "connected"
  | "nothing_to_say"
  | "not_readable"
  | "read"
  | "muted"
  | "blocked"
  | "dnd"
  | "not_ringing";

export interface Facts extends Pick<Known, "state" | "message" | "person"> {
  /** unix ms */
  now: number;
  settings: Pick<UserSettings, "mentions" | "dndUntil">;
}

export function judge(job: PushJob, facts: Facts): SkipReason | undefined {
  const { settings, now } = facts;
  if (job.kind === "read") return undefined;
  if ((settings.dndUntil ?? 0) > now) return "dnd";
  if (facts.person?.blocked) return "blocked";
  if (job.kind === "request") return facts.person?.relation === "pending" ? mutedPerson(facts) : "nothing_to_say";
  if (job.kind === "accepted") return facts.person?.relation === "contact" ? mutedPerson(facts) : "nothing_to_say";
  return job.kind === "invitation" ? judgeInvitation(facts) : judgeMessage(job, facts);
}

// Who is a member by now may see the event; who was only asked may not, but the asking stands.
function judgeInvitation(facts: Facts): SkipReason | undefined {
  const { state } = facts;
  if (!state?.isInvited && !state?.mayRead) return "not_readable";
  return mutedPerson(facts);
}

function judgeMessage({ kind, seq = 0, at }: PushJob, facts: Facts): SkipReason | undefined {
  const { state, message, settings, now } = facts;
  if (!message) return "nothing_to_say";
  if (!state?.mayRead) return "not_readable";
  if (state.readSeq >= seq) return "read";
  const mayPass = settings.mentions && state.mentioned === true;
  if ((state.mutedUntil ?? 0) > now && !mayPass) return "muted";
  if (facts.person?.muted && !mayPass) return "muted";
  if (kind === "call" && now - at > ringMs) return "not_ringing";
  return undefined;
}

function mutedPerson({ person }: Facts): SkipReason | undefined {
  return person?.muted ? "muted" : undefined;
}
