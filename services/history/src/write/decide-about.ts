// May this edit, recall or reaction be stored? One rule for every door, decided at the log: does the message it is about exist
// for its sender, is it the sender's to change, and is there room for it.
import {
  type AppendItem,
  type AppendOutcome,
  limits,
  pointingTypes,
  type Reaction,
  type RoomState,
  readReaction,
} from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { mayRead } from "../fold/members.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { Member } from "../keep/store.ts";
import { may } from "../rooms/rights.ts";
import { refusal } from "./outcome.ts";

/** What an edit, recall or reaction says: about which message (0 where it names none), and of a reaction which. */
export interface Pointing {
  seq: number;
  reaction: Reaction | undefined;
}

/** undefined for any other message. */
export function pointingOf({ type, body }: AppendItem): Pointing | undefined {
  if (!pointingTypes.has(type)) return undefined;
  const { content } = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const seq = Number.isSafeInteger(content?.seq) && content.seq > 0 ? content.seq : 0;
  return { seq, reaction: type === "reaction" ? readReaction(content) : undefined };
}

/** `about`: the entry at that seq, if there is one; `annotations`: what was said about it before. */
export function refuseAbout(
  { type, from }: AppendItem,
  {
    pointing: { seq, reaction },
    about,
    annotations,
    sender,
    room,
  }: {
    pointing: Pointing;
    about: LogEntry | undefined;
    annotations: Annotations;
    sender: Member;
    room: RoomState | undefined;
  },
): AppendOutcome | undefined {
  if (seq === 0) return refusal("invalid_packet", `content.seq is missing: which message is the ${type} about?`);
  if (!about || !isCounted(about) || !mayRead(sender, seq) || seq <= sender.deletedTo)
    return refusal("not_found", `there is no message ${seq} to ${verbs[type]} here`);
  if (annotations.recall) return refusal("not_found", `message ${seq} was recalled`);
  if (type === "reaction") return refuseReaction(from, reaction, annotations);
  if (about.from === from) return type === "edit" ? refuseEdit(annotations) : undefined;
  if (type === "recall" && may(room, sender, "recallOthers")) return undefined;
  const who = type === "edit" ? "only its author" : "only its author, or an owner or admin of the room,";
  return refusal("forbidden", `${who} may ${verbs[type]} message ${seq}`);
}

const verbs: Readonly<Record<string, string>> = { edit: "edit", recall: "recall", reaction: "react to" };

function refuseEdit({ edits, seq }: Annotations): AppendOutcome | undefined {
  if (edits.length < limits.messageEdits) return undefined;
  return refusal("conflict", `message ${seq} was edited ${limits.messageEdits} times, the most there may be`);
}

function refuseReaction(
  from: string,
  reaction: Reaction | undefined,
  { reactions, seq }: Annotations,
): AppendOutcome | undefined {
  if (!reaction) return refusal("invalid_packet", "content.data is the reaction, 1 to 64 characters");
  const own = reactions.filter(([, uid]) => uid === from);
  if (reaction.remove || own.some(([text]) => text === reaction.text)) return undefined;
  if (own.length >= limits.reactionsEach)
    return refusal("conflict", `you have ${limits.reactionsEach} reactions to message ${seq}, the most there may be`);
  if (reactions.length < limits.messageReactions) return undefined;
  return refusal("conflict", `message ${seq} has ${limits.messageReactions} reactions, the most there may be`);
}
