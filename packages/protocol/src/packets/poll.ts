// Polls: what one offers, and what a vote says.

export interface Poll {
  /** how many there are */
  options: number;
  multiple: boolean;
  anonymous: boolean;
}

/** The poll that a message's content is; undefined where it is none. */
export function readPoll(content: object): Poll | undefined {
  const { type, options, multiple, anonymous } = content as Record<string, unknown>;
  if (type !== "poll" || !Array.isArray(options)) return undefined;
  return { options: options.length, multiple: multiple === true, anonymous: anonymous === true };
}

/** The options that a vote, `{"type":"vote","seq","options"}`, is for; undefined where it is none. */
export function readVote(content: object): number[] | undefined {
  const { options } = content as { options?: unknown };
  const isVote = Array.isArray(options) && options.every((option) => Number.isSafeInteger(option) && option >= 0);
  return isVote && new Set(options).size === options.length ? options : undefined;
}
