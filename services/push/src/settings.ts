// How users want to be notified: one document a user, none for who never said.
import { AppError } from "@parley/protocol";
import { available } from "@parley/runtime";
import type { Collection, Documents } from "@parley/store";
import type { Preview } from "./payload/notice.ts";
import { openUserCache } from "./user-cache.ts";

/** By uid. What is missing was never set. */
interface SettingsDoc {
  preview?: Preview;
  mentions?: boolean;
  /** unix ms */
  dndUntil?: number;
}

export interface UserSettings {
  preview: Preview;
  /** what mentions the user passes a mute */
  mentions: boolean;
  /** unix ms: nothing is notified until then; null: nothing holds */
  dndUntil: number | null;
}

export type SettingsChange = { [Name in keyof UserSettings]?: UserSettings[Name] | undefined };

export interface Settings {
  /** Of all of them, those who set nothing too. Throws `unavailable` when the store cannot be asked. */
  ofUsers(uids: readonly string[]): Promise<Map<string, UserSettings>>;
  of(uid: string): Promise<UserSettings>;
  change(uid: string, change: SettingsChange): Promise<UserSettings | AppError>;
  remove(uid: string): Promise<void>;
  /** Another replica, or this one, changed something of theirs. */
  forget(uids: readonly string[]): void;
  clear(): void;
}

const defaults: Readonly<UserSettings> = { preview: "full", mentions: true, dndUntil: null };
const usersKnown = 100_000;
const knownMs = 60_000;
const attemptsMax = 20;

/** `changed` tells all replicas. */
export async function openSettings(
  documents: Documents,
  changed: (uids: readonly string[]) => void,
): Promise<Settings> {
  const kept: Collection<SettingsDoc> = await documents.collection({ name: "settings" });
  const cache = openUserCache<UserSettings>({
    async load(uids) {
      const found = await kept.getMany(uids);
      return new Map([...found].map(([uid, { doc }]) => [uid, settingsOf(doc)]));
    },
    max: usersKnown,
    ttlMs: knownMs,
  });
  return {
    async ofUsers(uids) {
      const found = await available(() => cache.ofUsers(uids));
      return new Map(uids.map((uid) => [uid, found.get(uid) ?? defaults]));
    },
    async of(uid) {
      return settingsOf((await kept.get(uid))?.doc ?? {});
    },
    async change(uid, change) {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const found = await kept.get(uid);
        const doc = changedDoc(found?.doc ?? {}, change);
        if (!(await (found ? kept.update(uid, doc, found.version) : kept.insert(uid, doc)))) continue;
        changed([uid]);
        return settingsOf(doc);
      }
      return new AppError("conflict", "the settings were changed again and again at the same time; try again");
    },
    async remove(uid) {
      if (await kept.remove(uid)) changed([uid]);
    },
    forget: cache.forget,
    clear: cache.clear,
  };
}

function settingsOf(doc: SettingsDoc): UserSettings {
  return { ...defaults, ...doc };
}

function changedDoc(doc: SettingsDoc, { preview, mentions, dndUntil }: SettingsChange): SettingsDoc {
  const { dndUntil: before, ...rest } = doc;
  const until = dndUntil === undefined ? before : (dndUntil ?? undefined);
  return {
    ...rest,
    ...(preview === undefined ? {} : { preview }),
    ...(mentions === undefined ? {} : { mentions }),
    ...(until === undefined ? {} : { dndUntil: until }),
  };
}
