// Pages are bounded by bytes: how many a caller's page may have, and how many of the rows fit.
import { type Caller, limits } from "@parley/protocol";

// The rest of a reply around its result: the request's id, the topic, and what is in the result beside the page.
const envelopeBytes = 512;

/** How many bytes a page for this caller may have: what its device takes, less the rest of the reply. */
export function pageRoomOf({ maxBytes = Number.POSITIVE_INFINITY }: Pick<Caller, "maxBytes">): number {
  return Math.min(limits.pageBytes, maxBytes - envelopeBytes);
}

/** How many of these JSON texts fit into so many bytes, commas counted; the first one does, whatever its size. */
export function fittingCount(rows: readonly string[], maxBytes: number): number {
  let bytes = 0;
  const end = rows.findIndex((text, index) => {
    bytes += Buffer.byteLength(text) + 1;
    return index > 0 && bytes > maxBytes;
  });
  return end < 0 ? rows.length : end;
}
