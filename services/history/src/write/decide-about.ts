// May this edit, recall, reaction or vote be stored? One rule for every door, decided at the log: does the message it is about exist
// for its sender, is it the sender's to change, and is there room for it.
import {
  type AppendItem,
  type AppendOutcome,
  limits,
  type Poll,
  pointingTypes,
  type Reaction,
  type RoomState,
  readReaction,
  readVote,
} from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { mayRead } from "../fold/members.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { Member } from "../keep/store.ts";
import { isOver } from "../keep/timers.ts";
import { may } from "../rooms/rights.ts";
import { isCopyOfThere } from "./decide-copied.ts";
import { refusal } from "./outcome.ts";

/** What an edit, recall, reaction or vote says: about which message (0 where it names none), and which reaction or options. */
export interface Pointing {
  seq: number;
  reaction: Reaction | undefined;
  vote: number[] | undefined;
}

/** undefined for any other message. */
export function pointingOf({ type, body }: AppendItem): Pointing | undefined {
  if (!pointingTypes.has(type)) return undefined;
  const { content } = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  const seq = Number.isSafeInteger(content?.seq) && content.seq > 0 ? content.seq : 0;
  return {
    seq,
    reaction: type === "reaction" ? readReaction(content) : undefined,
    vote: type === "vote" ? readVote(content) : undefined,
  };
}

const isThere = (about: LogEntry) => isCounted(about) && !isOver(about, Date.now());

/** `about`: the entry at that seq, if there is one; `annotations`: what was said about it before. */
export function refuseAbout(
  { type, from, via }: AppendItem,
  {
    pointing: { seq, reaction, vote },
    about,
    poll,
    annotations,
    sender,
    room,
  }: {
    pointing: Pointing;
    about: LogEntry | undefined;
    poll: Poll | undefined;
    annotations: Annotations;
    /** undefined: it comes from another room, which has decided whose right it is */
    sender: Member | undefined;
    room: RoomState | undefined;
  },
): AppendOutcome | undefined {
  if (seq === 0) return refusal("invalid_packet", `content.seq is missing: which message is the ${type} about?`);
  if (!about || !isThere(about) || isHidden(about, sender))
    return refusal("not_found", `there is no message ${seq} to ${verbs[type]} here`);
  if (annotations.recall) return refusal("not_found", `message ${seq} was recalled`);
  if (type === "reaction") return refuseReaction(from, reaction, annotations);
  if (type === "vote" || type === "close") {
    const refused = refuseInPoll({ type, from, poll, vote }, annotations);
    if (refused || type === "vote") return refused;
  }
  if (type === "edit" && poll)
    return refusal("forbidden", `message ${seq} is a poll: it is not edited, others have voted on what it says`);
  if (about.from === from) return type === "edit" ? refuseEdit(annotations) : undefined;
  if (via && type !== "edit" && isCopyOfThere(about, via)) return undefined;
  if (sender && mayForOthers(room, sender, type)) return undefined;
  const who = type === "edit" ? "only its author" : "only its author, or an owner or admin of the room,";
  return refusal("forbidden", `${who} may ${verbs[type]} message ${seq}`);
}

function mayForOthers(room: RoomState | undefined, sender: Member, type: string): boolean {
  return (
    (type === "recall" && may(room, sender, "recallOthers")) || (type === "close" && may(room, sender, "closePolls"))
  );
}

function isHidden(about: LogEntry, sender: Member | undefined): boolean {
  return sender !== undefined && (!mayRead(sender, about.seq) || about.seq <= sender.deletedTo);
}

const verbs: Readonly<Record<string, string>> = {
  edit: "edit",
  recall: "recall",
  reaction: "react to",
  vote: "vote on",
  close: "close",
};

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
  if (reactions.length >= limits.messageReactions)
    return refusal("conflict", `message ${seq} has ${limits.messageReactions} reactions, the most there may be`);
  const kinds = new Set(reactions.map(([text]) => text));
  if (kinds.has(reaction.text) || kinds.size < limits.reactionKinds) return undefined;
  return refusal("conflict", `message ${seq} has ${limits.reactionKinds} kinds of reactions, the most there may be`);
}

function refuseInPoll(
  { type, from, poll, vote }: { type: string; from: string; poll: Poll | undefined; vote: number[] | undefined },
  { votes = [], closed, seq }: Annotations,
): AppendOutcome | undefined {
  if (!poll) return refusal("not_found", `message ${seq} is no poll`);
  if (closed) return refusal("conflict", `the poll ${seq} is closed`);
  if (type === "close") return undefined;
  if (!vote || vote.some((option) => option >= poll.options))
    return refusal("invalid_packet", `content.options: the poll ${seq} has the options 0 to ${poll.options - 1}`);
  if (vote.length > 1 && !poll.multiple)
    return refusal("invalid_packet", `content.options: the poll ${seq} takes one option of each`);
  const others = votes.filter(([uid]) => uid !== from).reduce((sum, [, options]) => sum + options.length, 0);
  if (vote.length === 0 || others + vote.length <= limits.pollChoices) return undefined;
  return refusal("conflict", `the poll ${seq} has ${limits.pollChoices} choices, the most there may be`);
}
