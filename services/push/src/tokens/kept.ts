// The documents of tokens: found by their user, by whose device it is, and by the device.
import type { Collection, Documents, FindQuery } from "@parley/store";
import { overtaken, type PushToken, type TokenDoc } from "./token.ts";

export type KeptTokens = Collection<TokenDoc>;

const pageTokens = 200;
const usersAtOnce = 32;

export function openKept(documents: Documents): Promise<KeptTokens> {
  return documents.collection<TokenDoc>({
    name: "tokens",
    indexes: { uid: ["uid"], owner: ["owner"], device: ["clientId"] },
  });
}

export interface FoundToken extends PushToken {
  version: number;
}

/** All that are told to, or were registered as, this user; by `clientId` those of one of its devices. */
export async function tokensOf(kept: KeptTokens, uid: string, clientId?: string): Promise<FoundToken[]> {
  if (clientId !== undefined)
    return (await all(kept, { index: "device", equals: [clientId] })).filter(
      (one) => one.uid === uid || one.owner === uid,
    );
  const [told, owned] = await Promise.all([
    all(kept, { index: "uid", equals: [uid] }),
    all(kept, { index: "owner", equals: [uid] }),
  ]);
  return [...told, ...owned.filter((one) => one.uid !== uid)];
}

/** All that tell this user, whichever of its accounts' devices they are of. */
export function tokensFor(kept: KeptTokens, uid: string): Promise<FoundToken[]> {
  return all(kept, { index: "uid", equals: [uid] });
}

/** By user, those that are notified; who has none is missing. */
export async function tokensForAll(
  kept: KeptTokens,
  uids: readonly string[],
): Promise<Map<string, readonly PushToken[]>> {
  const found = new Map<string, readonly PushToken[]>();
  for (let from = 0; from < uids.length; from += usersAtOnce)
    await Promise.all(
      uids.slice(from, from + usersAtOnce).map(async (uid) => {
        const tokens = (await tokensFor(kept, uid)).map(({ version: _, ...token }) => token);
        const late = new Set(overtaken(tokens));
        if (tokens.length > 0) found.set(uid, late.size === 0 ? tokens : tokens.filter((one) => !late.has(one)));
      }),
    );
  return found;
}

/** Page by page, in the order of their keys. */
export async function* allTokens(kept: KeptTokens): AsyncGenerator<FoundToken[]> {
  for (let page: string | null | undefined; page !== null; ) {
    const found = await kept.find({ limit: pageTokens, ...(page === undefined ? {} : { page }) });
    yield found.items.map(tokenOf);
    page = found.next;
  }
}

async function all(kept: KeptTokens, query: Pick<FindQuery, "index" | "equals">): Promise<FoundToken[]> {
  const found: FoundToken[] = [];
  for (let page: string | null | undefined; page !== null; ) {
    const { items, next } = await kept.find({ ...query, limit: pageTokens, ...(page === undefined ? {} : { page }) });
    found.push(...items.map(tokenOf));
    page = next;
  }
  return found;
}

function tokenOf({ key, version, doc }: { key: string; version: number; doc: TokenDoc }): FoundToken {
  return { ...doc, key, version };
}
