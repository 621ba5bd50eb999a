// What was said about one message after it: its edits, its recall, its reactions, the votes of a poll, its thread. A projection of the log, in the store before
// the entry that changed it is answered.

/** Of one kind a user has one on a message. `seq`: the entry that made it. */
export type Reacted = readonly [text: string, uid: string, seq: number];

/** The vote of one user in a poll. `seq`: the entry that made it. */
export type Voted = readonly [uid: string, options: readonly number[], seq: number];

export interface Annotations {
  conv: string;
  /** the message it is about */
  seq: number;
  /** seq of the last entry folded in */
  appliedSeq: number;
  /** seqs of its edits, oldest first */
  edits: readonly number[];
  /** in the order in which they were made */
  reactions: readonly Reacted[];
  /** `expired`: its time was over */
  recall?: { seq: number; by: string; expired?: true };
  /** of a poll, in the order in which they were made */
  votes?: readonly Voted[];
  /** the messages of the thread about it, oldest first */
  thread?: readonly (readonly [seq: number, uid: string])[];
  /** `seq`, where there is a thread: what threads are found by */
  threadSeq?: number;
  /** nobody is told who voted for what */
  isAnonymous?: true;
  /** no vote is taken any more */
  closed?: { seq: number; by: string };
}

/** Key of the document about message `seq`. A conversation holds no space. */
export function annotationsKey(conv: string, seq: number): string {
  return `${conv} ${seq}`;
}

export function noAnnotations(conv: string, seq: number): Annotations {
  return { conv, seq, appliedSeq: 0, edits: [], reactions: [] };
}

/** Each follows the log as a whole: the one that has seen more of it counts. */
export function laterAnnotations(stored: Annotations, ours: Annotations): Annotations {
  return ours.appliedSeq > stored.appliedSeq ? ours : stored;
}
