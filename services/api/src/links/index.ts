// links.preview: what a message shows of a page, asked by its sender before it is sent, so that no message waits for a page.
import { AppError, type LinkPreview, linksPreview } from "@parley/protocol";
import { type Guard, openTurns, type TokenBuckets } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { type Bound, bind } from "../call.ts";
import { fetchPage } from "./fetch-page.ts";
import { readPageAddress } from "./page-address.ts";
import { readPage } from "./read-page.ts";

export interface LinkParts {
  isOn: boolean;
  guard: Guard;
  /** previews that a user asks for */
  previews: TokenBuckets;
}

type Said = Omit<LinkPreview, "url">;

const keptMax = 2_000;
const keptMs = 10 * 60_000;
const failedMs = 60_000;
const turnsOptions = { atOnce: 16, atOnceEach: 2, waitingMax: 200, waitMs: 2_000 } as const;

export function linkMethods({ isOn, guard, previews }: LinkParts): Bound[] {
  const read = createReader(guard);
  return [
    bind(linksPreview, async ({ url: text }, { caller: { uid } }) => {
      if (!isOn) return new AppError("forbidden", "no pages are fetched for previews here");
      const url = readPageAddress(text);
      if (!url)
        return new AppError("invalid_packet", "url is no address of a page, http or https, without a user in it");
      const retryAfterMs = previews.take(uid);
      if (retryAfterMs > 0) return new AppError("rate_limited", "too many previews", { details: { retryAfterMs } });
      const said = await read(url, uid);
      // One answer for all: whoever asks is not told what is behind an address that only the server can reach.
      if (!said)
        return new AppError("not_found", "there is no page to preview: HTML, at a public address, port 80 or 443");
      return { url: url.href, ...said };
    }),
  ];
}

/** What pages said is kept for a while, what could not be read for a shorter one; who ask for one page at once share it. */
function createReader(guard: Guard) {
  const kept = new LRUCache<string, { said: Said | undefined }>({ max: keptMax, ttl: keptMs });
  const underWay = new Map<string, Promise<Said | undefined>>();
  const turns = openTurns(turnsOptions);

  async function fetchInTurn(url: URL, uid: string): Promise<Said | undefined> {
    const done = await turns.take({ key: uid });
    if (!done) throw new AppError("rate_limited", "too many pages are being fetched; ask again");
    try {
      const page = await fetchPage(guard, url).catch(() => undefined);
      const said = page && readPage(page);
      kept.set(url.href, { said }, said ? {} : { ttl: failedMs });
      return said;
    } finally {
      done();
    }
  }

  return async (asked: URL, uid: string): Promise<Said | undefined> => {
    const url = new URL(asked);
    url.hash = "";
    const before = kept.get(url.href);
    if (before) return before.said;
    const same = underWay.get(url.href);
    if (same) return same;
    const fetching = fetchInTurn(url, uid).finally(() => underWay.delete(url.href));
    underWay.set(url.href, fetching);
    return fetching;
  };
}
