// How a change of a room is told.

export function changedText(verb: string, uids: readonly string[]): string {
  return uids.length > 0 ? `${verb} ${uids.join(", ")}` : "nothing changed";
}
