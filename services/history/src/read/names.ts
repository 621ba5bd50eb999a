// What those are called whom a user has conversations with: api knows, and is asked once a page.
import { type NamesReply, type NamesRequest, parseConv, subjects } from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";
import type { Member } from "../keep/store.ts";
import type { Trouble } from "../keep/trouble.ts";
import { settingsOf } from "./own-state.ts";

/** By uid; who is missing is called by the uid. Never rejects. */
export type Names = ReadonlyMap<string, string>;
export type NamesFor = (uid: string, members: readonly Member[]) => Promise<Names>;

/** While api does not answer, a list comes without names so much later. */
const timeoutMs = 1_000;
const none: Names = new Map();

/** Of the conversations of two that have no name of their own. */
export function createNamesFor({ nats, trouble }: { nats: NatsConnection; trouble: Trouble }): NamesFor {
  return async (by, members) => {
    const unnamed = members.filter((member) => !settingsOf(member).name);
    const uids = [...new Set(unnamed.flatMap((member) => otherSide(member) ?? []))];
    if (uids.length === 0) return none;
    try {
      const asked: NamesRequest = { by, uids };
      const { names } = await requestJson<NamesReply>(nats, subjects.names, asked, { timeoutMs });
      trouble.over("names_unknown");
      return new Map(names.map((name, index) => [uids[index] as string, name]));
    } catch (error) {
      trouble.failed("names_unknown", error);
      return none;
    }
  };
}

/** Whom a conversation of two is with, oneself perhaps; undefined: it is a room. */
export function otherSide({ conv, uid }: Pick<Member, "conv" | "uid">): string | undefined {
  const parsed = parseConv(conv);
  if (parsed?.kind === "p2p") return parsed.a === uid ? parsed.b : parsed.a;
  if (parsed?.kind === "dev") return parsed.from === uid ? parsed.uid : parsed.from;
  return undefined;
}
