// Online Status, `status/{client id}`: `online` or `offline`. Parley tells of users, not of their devices: of a client its user's.
import { AppError } from "../../../errors.ts";
import { isUid } from "../../../ids.ts";
import { presenceGet } from "../../../methods/presence.ts";
import type { PresenceNotice } from "../../../packets/downlink.ts";
import type { Tree } from "../../../trees.ts";
import { readPresence } from "../../contacts.ts";
import type { Parley, Published, Said } from "../../dialect.ts";
import { openOwnPresence } from "../../own-presence.ts";
import type { Device } from "../device.ts";
import { readStatusFilter, statusTopic } from "./topics.ts";

type Word = "online" | "offline";

/** More are asked for in a list. */
const askedSingly = 20;

export interface Status {
  /** What a device says of itself. Throws the refusal. */
  take(id: string, packet: Published): Promise<void>;
  /** Whoever connects is online, whatever it said before. */
  begin(): Promise<void>;
  /** What is retained below these filters. */
  subscribed(filters: readonly string[]): Promise<void>;
  render(notice: Pick<PresenceNotice, "uid" | "show">): Said[];
}

export function openStatus({ tree, parley }: Device): Status {
  const own = openOwnPresence(tree, parley);
  return {
    async take(id, { payload, will }) {
      if (id !== tree.clientId && id !== tree.uid)
        throw new AppError("forbidden", `how you are there is said on ${statusTopic(tree.clientId)}`);
      // That a device is gone is known by itself.
      if (will) return;
      const word = readWord(payload);
      if (word === undefined) throw new AppError("invalid_packet", "a status is online or offline");
      await own.say(word === "online" ? "online" : "invisible");
    },
    begin: own.begin,
    async subscribed(filters) {
      const asked = filters.flatMap((filter) => readStatusFilter(filter) ?? []);
      if (asked.length === 0) return;
      const uids = new Set(asked.flatMap(({ name }) => (name === undefined ? [] : [uidOf(name)])));
      const isLong = uids.size > askedSingly || asked.some(({ name }) => name === undefined);
      const words = isLong ? await wordsOfContacts(parley) : await wordsOf([...uids], tree, parley);
      for (const [uid, word] of words)
        for (const topic of topicsOf(uid, filters)) await parley.say({ topic, payload: word });
    },
    render: ({ uid, show }) => [...topicsOf(uid, tree.filters)].map((topic) => ({ topic, payload: wordOf(show) })),
  };
}

/** `online` or `"online"` */
function readWord(payload: Uint8Array): Word | undefined {
  const word = new TextDecoder().decode(payload.subarray(0, 16)).replace(/^"(.*)"$/, "$1");
  return word === "online" || word === "offline" ? word : undefined;
}

function wordOf(show: PresenceNotice["show"]): Word {
  return show === "offline" ? "offline" : "online";
}

function uidOf(name: string): string {
  return name.split(/[:/]/, 1)[0] ?? "";
}

/** Where a user's is heard: on its own topic, and on those of its clients that are named. */
function topicsOf(uid: string, filters: readonly string[]): Set<string> {
  const names = filters.flatMap((filter) => readStatusFilter(filter) ?? []).map(({ name }) => name ?? uid);
  return new Set(names.filter((name) => uidOf(name) === uid).map(statusTopic));
}

// Of who is not there, or not for the user to know, nothing is retained.
async function wordsOf(uids: readonly string[], tree: Tree, parley: Parley): Promise<Map<string, Word>> {
  const words = new Map<string, Word>();
  for (const uid of uids.filter(isUid)) {
    if (uid === tree.uid) words.set(uid, "online");
    else await parley.call(presenceGet, { uid }).then(({ show }) => words.set(uid, wordOf(show)), unlessUnknown);
  }
  return words;
}

function unlessUnknown(error: unknown): void {
  const refused = AppError.from(error);
  if (refused.code !== "not_found") throw refused;
}

async function wordsOfContacts(parley: Parley): Promise<Map<string, Word>> {
  const contacts = await readPresence(parley);
  return new Map([...contacts].map(([uid, isThere]) => [uid, isThere ? "online" : "offline"] as const));
}
