// May this edit, recall or reaction be stored? One rule for every door, decided at the log: does the message it is about exist
// for its sender, and is it the sender's to change.
import { type AppendItem, type AppendOutcome, pointingTypes, type RoomState } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { mayRead } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { may } from "../rooms/rights.ts";
import { refusal } from "./outcome.ts";

/** The seq that an edit, recall or reaction is about; undefined for any other message, 0 where it names none. */
export function aboutSeq({ type, body }: AppendItem): number | undefined {
  if (!pointingTypes.has(type)) return undefined;
  const { content } = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  return Number.isSafeInteger(content?.seq) && content.seq > 0 ? content.seq : 0;
}

/** `about`: the entry at that seq, if there is one; `isRecalled`: it was recalled before. */
export function refuseAbout(
  { type, from }: AppendItem,
  {
    seq,
    about,
    isRecalled,
    sender,
    room,
  }: {
    seq: number;
    about: LogEntry | undefined;
    isRecalled: boolean;
    sender: Member;
    room: RoomState | undefined;
  },
): AppendOutcome | undefined {
  if (seq === 0) return refusal("invalid_packet", `content.seq is missing: which message is the ${type} about?`);
  if (!about || !isCounted(about) || !mayRead(sender, seq) || seq <= sender.deletedTo)
    return refusal("not_found", `there is no message ${seq} to ${verbs[type]} here`);
  if (isRecalled) return refusal("not_found", `message ${seq} was recalled`);
  if (type === "reaction" || about.from === from) return undefined;
  if (type === "recall" && may(room, sender, "recallOthers")) return undefined;
  const who = type === "edit" ? "only its author" : "only its author, or an owner or admin of the room,";
  return refusal("forbidden", `${who} may ${verbs[type]} message ${seq}`);
}

const verbs: Readonly<Record<string, string>> = { edit: "edit", recall: "recall", reaction: "react to" };
