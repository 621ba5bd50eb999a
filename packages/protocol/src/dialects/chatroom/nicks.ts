// What a guest calls itself: one who takes a user's name is marked.
import { foldName } from "../../ids.ts";
import type { Tree } from "../../trees.ts";
import type { Parley } from "../dialect.ts";
import { remembering } from "../remembered.ts";

const nickCharacters = 64;
/** So long it is known whether a name is a user's. */
const knownMs = 60_000;
const knownMax = 100;

/** The nick of what a device says, by the `from` of its packet; of an account none: its name is known. */
export function createNicks(
  { owner, uid }: Tree,
  parley: Pick<Parley, "isUserName">,
): (from: string | undefined) => Promise<string> | undefined {
  const known = remembering<{ nick: Promise<string>; at: number }>(knownMax);
  if (owner === "user") return () => undefined;
  return (from) => {
    const name = plainName(from) || uid;
    const before = known.get(name);
    if (before && performance.now() - before.at < knownMs) return before.nick;
    const nick = shownNick(name, uid, parley);
    known.set(name, { nick, at: performance.now() });
    return nick;
  };
}

async function shownNick(name: string, uid: string, { isUserName }: Pick<Parley, "isUserName">): Promise<string> {
  if (name === uid) return name;
  // Where it cannot be known now, nobody is taken for a user.
  const isOthers = foldName(name) === "parley" || (await isUserName(name).catch(() => true));
  return isOthers ? `${name} (guest)` : name;
}

// Without what shows nothing, and with one spelling of what looks the same.
function plainName(from: string | undefined): string {
  const shown = (from ?? "")
    .normalize("NFKC")
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "")
    .trim();
  return [...shown].slice(0, nickCharacters).join("");
}
