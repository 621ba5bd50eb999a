// ASSChat, `push.@`: whom a message mentions. `'user1', 'user2'`, `all()`, `except(all(), 'user1')`
import { AppError } from "../../../errors.ts";
import { isUid } from "../../../ids.ts";
import { readMentions } from "../../../packets/mentions.ts";
import { isCall, readTerms, type Term } from "./expressions/terms.ts";

/** `ofAll`: all users of the channel but those in `except`, and `uids` besides. */
export interface Mentioned {
  ofAll: boolean;
  except: ReadonlySet<string>;
  uids: ReadonlySet<string>;
}

const most = 100;
const everybody = "@all";

/** Throws the refusal. */
export function readExpression(text: string): Mentioned {
  return unionOf(readTerms(text));
}

function unionOf(terms: readonly Term[]): Mentioned {
  const parts = terms.map(partOf);
  const uids = new Set(parts.flatMap((one) => [...one.uids]));
  const all = parts.filter(({ ofAll }) => ofAll);
  const [first] = all;
  // Who is left out of one list of all may be in another.
  const except = [...(first?.except ?? [])].filter((uid) => !uids.has(uid) && all.every((one) => one.except.has(uid)));
  return { ofAll: first !== undefined, except: new Set(except), uids };
}

function partOf(term: Term): Mentioned {
  if (typeof term === "string" && isUid(term)) return { ofAll: false, except: new Set(), uids: new Set([term]) };
  if (Array.isArray(term)) return unionOf(term);
  if (typeof term === "object" && isCall(term)) {
    if (term.name === "all" && term.args.length === 0) return { ofAll: true, except: new Set(), uids: new Set() };
    const [user, ...list] = [...term.args].reverse();
    if (term.name === "except" && typeof user === "string" && list.length > 0) {
      const from = unionOf(list);
      const uids = new Set([...from.uids].filter((uid) => uid !== user));
      return { ofAll: from.ofAll, except: new Set(from.ofAll ? [...from.except, user] : []), uids };
    }
  }
  throw new AppError("invalid_packet", "push.@ is made of 'user', all() and except(list, 'user')");
}

/** Has it to be known who is in the channel? */
export function needsMembers({ ofAll, except }: Mentioned): boolean {
  return ofAll && except.size > 0;
}

/** `content.mentions`. `members`: of the channel, where they are needed. Throws the refusal. */
export function writeMentions(mentioned: Mentioned, members: readonly string[] = []): string[] {
  if (mentioned.ofAll && !needsMembers(mentioned)) return [everybody];
  const others = mentioned.ofAll ? members.filter((uid) => !mentioned.except.has(uid)) : [];
  const uids = [...new Set([...others, ...mentioned.uids])];
  if (uids.length > most) throw new AppError("invalid_packet", `push.@ names ${uids.length} users; ${most} at most`);
  return uids;
}

/** `push.@` of a message that mentions somebody. */
export function writeExpression(mentions: unknown): string | undefined {
  const texts = Array.isArray(mentions) ? mentions.filter((one): one is string => typeof one === "string") : [];
  const read = readMentions({ mentions: texts });
  return read && [...(read.all ? ["all()"] : []), ...read.uids.map((uid) => `'${uid}'`)].join(", ");
}
