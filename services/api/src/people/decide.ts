// What a change of a roster comes to: a pure function of what the two are to each other.
import { AppError } from "@parley/protocol";
import type { Side } from "../store.ts";
import { isOver, type Sides } from "./pairs.ts";

/** What the owner of a roster notes. */
export type Details = Partial<Pick<Side, "nick" | "group" | "note" | "tags">>;

export type Act =
  | { act: "add" | "update"; details: Details }
  | {
      act: "remove" | "block" | "unblock" | "mute" | "unmute" | "request" | "confirm" | "refuse" | "revoke";
    };

type Decided = Sides | AppError;

/** Both sides after the act of `mine`; what does not change stays the same object. What a block hides changes nothing there. */
export function decide(sides: Sides, act: Act): Decided {
  const { mine, theirs } = sides;
  switch (act.act) {
    case "add":
      return { mine: { ...mine, ...act.details, relation: "contact" }, theirs: accepted(mine, theirs) };
    case "update":
      return isOver(mine) ? notThere() : { mine: { ...mine, ...act.details }, theirs };
    case "remove":
      return isOver(mine) ? notThere() : withdrawn(sides, { muted: false });
    case "block":
      return mine.relation === "contact" ? { mine: { ...mine, blocked: true }, theirs } : withBlock(sides);
    case "unblock":
      return mine.blocked ? { mine: { ...mine, blocked: false }, theirs } : sides;
    case "mute":
    case "unmute":
      return { mine: { ...mine, muted: act.act === "mute" }, theirs };
    case "request":
      return request(sides);
    case "confirm":
      return mine.relation === "pending"
        ? { mine: { ...mine, relation: "contact" }, theirs: accepted(mine, theirs) }
        : noRequest();
    case "refuse":
      return mine.relation === "pending" ? withdrawn(sides, {}) : noRequest();
    case "revoke":
      return revoke(sides);
  }
}

function notThere(): AppError {
  return new AppError("not_found", "the user is not in the roster");
}

function noRequest(): AppError {
  return new AppError("not_found", "there is no request of this user");
}

/** The other side once I take the other in: his request is answered by it. */
function accepted(mine: Side, theirs: Side): Side {
  const hasAsked = mine.relation === "pending" && theirs.relation === "requested" && !theirs.blocked;
  return hasAsked ? { ...theirs, relation: "contact" } : theirs;
}

/** Mine is nothing any more; what he asked of me, or I of him, is over. Of a block nobody hears. */
function withdrawn({ mine, theirs }: Sides, more: Partial<Side>): Sides {
  const isAsked = mine.relation === "requested" ? theirs.relation === "pending" : theirs.relation === "requested";
  const isOpen = (mine.relation === "requested" || mine.relation === "pending") && isAsked;
  return { mine: { ...nothing(mine), ...more }, theirs: isOpen ? nothing(theirs) : theirs };
}

function nothing(side: Side): Side {
  return { ...side, relation: "none", nick: "", group: "", note: "", tags: [] };
}

// My own request is taken back; his stays as he sees it, so that he is not told.
function withBlock(sides: Sides): Sides {
  const { theirs } = sides.mine.relation === "requested" ? withdrawn(sides, {}) : sides;
  return { mine: { ...sides.mine, relation: "none", blocked: true }, theirs };
}

function request({ mine, theirs }: Sides): Decided {
  if (mine.blocked) return new AppError("conflict", "you have blocked this user; unblock first");
  const areBoth = theirs.relation === "contact" && !theirs.blocked;
  if (mine.relation === "pending" || areBoth)
    return { mine: { ...mine, relation: "contact" }, theirs: accepted(mine, theirs) };
  const asks = theirs.relation === "none" && !theirs.blocked;
  return {
    mine: mine.relation === "contact" ? mine : { ...mine, relation: "requested" },
    theirs: asks ? { ...theirs, relation: "pending" } : theirs,
  };
}

function revoke({ mine, theirs }: Sides): Decided {
  if (mine.relation === "requested") return withdrawn({ mine, theirs }, {});
  if (mine.relation !== "contact") return noRequest();
  if (theirs.relation === "pending") return { mine, theirs: nothing(theirs) };
  if (theirs.relation === "contact") return { mine: nothing(mine), theirs: nothing(theirs) };
  return noRequest();
}
