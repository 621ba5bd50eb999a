// Whom a message mentions: `content.mentions` holds uids, as `bob` or `@bob`, and `@all`.
import { isUid } from "../ids.ts";

export interface Mentions {
  uids: string[];
  /** all members of the room; not everybody may */
  all: boolean;
}

const everybody = "@all";

/** undefined where nobody is mentioned; what is no uid mentions nobody. */
export function readMentions({ mentions }: { mentions?: readonly string[] | undefined }): Mentions | undefined {
  if (mentions === undefined || mentions.length === 0) return undefined;
  const named = mentions.filter((one) => one !== everybody).map((one) => (one.startsWith("@") ? one.slice(1) : one));
  const read = { uids: [...new Set(named)].filter(isUid), all: mentions.includes(everybody) };
  return read.uids.length > 0 || read.all ? read : undefined;
}
