// Profiles: what a user shows, to whom, and who may write to the user.
import {
  AppError,
  checkTree,
  foldName,
  type LastSeenPrivacy,
  limits,
  noUser,
  type ParamsOf,
  type profileGet,
  type profileUpdate,
  type ResultOf,
  shownAvatar,
  type usersGet,
} from "@parley/protocol";
import type { Logger, NatsConnection } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { type Finishing, startFinishing } from "../finishing.ts";
import type { History } from "../history.ts";
import { findUser, knownUser } from "../known-users.ts";
import type { ApiStore, ProfileDoc, UserDoc } from "../store.ts";
import { directDoor } from "./doors.ts";
import { hasAsContact } from "./pairs.ts";
import { tellContactsChanged } from "./tell-presence.ts";

export interface ProfileParts {
  store: ApiStore;
  history: History;
  nats: NatsConnection;
  /** of users who say nothing else */
  directMessages: "anyone" | "contacts";
}

type Profile = ResultOf<typeof usersGet>;
type OwnProfile = ResultOf<typeof profileGet>;

const attemptsMax = 50;
const pageUsers = 500;
/** What contacts see in their rosters, or with presence. */
const shownFields = ["name", "nick", "avatar", "status", "vcard"] as const;
/** Contacts are told of one user's changes at most once in so long. */
const tellIntervalMs = 5_000;
const profilesMark = "profiles-of-all";

/** The profile that a new user begins with. */
export function newProfile(uid: string, name: string | null): ProfileDoc {
  return withFind({ uid, ...(name === null || name === "" ? {} : { name }) });
}

/** Users of versions that kept no profiles get one, once. */
export async function makeMissingProfiles({ users, profiles, migrations }: ApiStore): Promise<void> {
  if (await migrations.get(profilesMark)) return;
  for (let page: string | null | undefined; page !== null; ) {
    const { items, next } = await users.find({ limit: pageUsers, ...(page === undefined ? {} : { page }) });
    await profiles.writeMany(items.map(({ key, doc }) => ({ key, doc: newProfile(key, doc.name) })));
    page = next;
  }
  await migrations.insert(profilesMark, { doneAt: Date.now() });
}

export async function ownProfile(parts: ProfileParts, uid: string): Promise<OwnProfile | AppError> {
  const kept = await keptProfile(parts.store, uid);
  return kept ? ownOf(parts, kept) : noUser(uid);
}

/** One answer for who does not exist and for whom the caller may not see. */
export async function seenProfile({ store }: ProfileParts, uid: string, by: string): Promise<Profile | AppError> {
  const kept = (await keptProfile(store, uid)) ?? (await profileOfName(store, uid));
  return kept && (await maySee(store, kept.doc, by)) ? profileOf(kept.doc) : noUser(uid);
}

// By a uid in any case, or an alias.
async function profileOfName(store: ApiStore, name: string): Promise<KeptProfile | undefined> {
  const user = await findUser(store, name);
  return user && keptProfile(store, user.doc.uid);
}

/** The profile of a user; undefined where there is no such user. One that a replica of before made has none yet. */
export async function keptProfile(store: ApiStore, uid: string): Promise<KeptProfile | undefined> {
  const { profiles } = store;
  const [user, found] = await Promise.all([knownUser(store, uid), profiles.get(uid)]);
  if (!user) return undefined;
  if (!found) await profiles.insert(uid, newProfile(uid, user.doc.name));
  const kept = found ?? (await profiles.get(uid));
  return kept && { ...kept, user: user.doc };
}

interface KeptProfile extends Versioned<ProfileDoc> {
  user: UserDoc;
}

/** True if the user lets `by` see the profile. */
export async function maySee(store: ApiStore, profile: ProfileDoc, by: string): Promise<boolean> {
  return profile.visibility !== "contacts" || profile.uid === by || hasAsContact(store, profile.uid, by);
}

export function lastSeenOf(profile: ProfileDoc | undefined): LastSeenPrivacy {
  return profile?.lastSeen ?? "contacts";
}

/** Changes the profile. Who may write holds everywhere when this resolves. */
export async function updateProfile(
  parts: ProfileParts,
  params: ParamsOf<typeof profileUpdate>,
  uid: string,
): Promise<OwnProfile | AppError> {
  const { profiles } = parts.store;
  const refused = refuseVcard(params.vcard);
  if (refused) return refused;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const kept = await keptProfile(parts.store, uid);
    if (!kept) return noUser(uid);
    const changed = changedProfile(kept.doc, params);
    if (!(await profiles.update(uid, changed, kept.version))) continue;
    if (changed.untold !== undefined) await tellDirect(parts, changed);
    // Also where nothing changes: who made the change may have died before it told.
    if (params.lastSeen !== undefined) await tellContactsChanged(parts.nats, { uid });
    return ownOf(parts, { doc: changed, user: kept.user });
  }
  return new AppError("conflict", "the profile was changed again and again at the same time; try again");
}

/** Tells history of changes that an earlier process, or one that failed, did not. */
export function startFinishingProfiles(parts: ProfileParts, log: Logger): Finishing {
  return startFinishing({
    find: () => parts.store.profiles.find({ index: "untold", limit: 100 }),
    begunAt: ({ untold = 0 }) => untold,
    finish: ({ doc }: Versioned<ProfileDoc>) => tellDirect(parts, doc),
    trouble: "profiles_unfinished",
    log,
  });
}

async function tellDirect({ store: { profiles }, history }: ProfileParts, profile: ProfileDoc): Promise<void> {
  const { uid, directVersion } = profile;
  await history.doors([directDoor(profile)]);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const kept = await profiles.get(uid);
    // A later change is told by who made it.
    if (kept?.doc.untold === undefined || kept.doc.directVersion !== directVersion) return;
    const { untold: _, ...told } = kept.doc;
    if (await profiles.update(uid, told, kept.version)) return;
  }
}

function refuseVcard(vcard: object | undefined): AppError | undefined {
  if (vcard === undefined) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(vcard));
  if (bytes > limits.vcardBytes)
    return new AppError("too_large", `vcard has ${bytes} bytes; the limit is ${limits.vcardBytes}`, {
      details: { bytes, maxBytes: limits.vcardBytes },
    });
  return checkTree(vcard);
}

function changedProfile(profile: ProfileDoc, params: ParamsOf<typeof profileUpdate>): ProfileDoc {
  const changed: Record<string, unknown> = { ...profile };
  for (const [field, given] of Object.entries(params)) {
    const value = field === "vcard" ? JSON.stringify(given) : String(given).normalize("NFC");
    if (value === "") delete changed[field];
    else changed[field] = value;
  }
  const { directMessages } = params;
  if (directMessages !== undefined && directMessages !== profile.directMessages) {
    const now = Date.now();
    Object.assign(changed, { directVersion: Math.max(now, (profile.directVersion ?? 0) + 1), untold: now });
  }
  return withFind(withMark(profile, changed as unknown as ProfileDoc));
}

// At once, unless contacts were told a moment ago.
function withMark(before: ProfileDoc, changed: ProfileDoc): ProfileDoc {
  if (shownFields.every((field) => changed[field] === before[field])) return changed;
  const now = Date.now();
  const next = (before.toldAt ?? 0) + tellIntervalMs;
  return { ...changed, tellAt: Math.min(Math.max(now, next), now + tellIntervalMs) };
}

function withFind({ find: _, ...profile }: ProfileDoc): ProfileDoc {
  if (profile.visibility === "contacts") return profile;
  const { uid, name, nick } = profile;
  const find = {
    uid: foldName(uid),
    ...(name === undefined ? {} : { name: foldName(name) }),
    ...(nick === undefined ? {} : { nick: foldName(nick) }),
  };
  return { ...profile, find };
}

function profileOf({ uid, name, nick = "", avatar, status = "", language = "", vcard }: ProfileDoc): Profile {
  const card = vcard === undefined ? {} : (JSON.parse(vcard) as object);
  return { uid, name: name ?? uid, nick, avatar: shownAvatar(avatar), status, language, vcard: card };
}

function ownOf(
  { directMessages }: ProfileParts,
  { doc: profile, user }: Pick<KeptProfile, "doc" | "user">,
): OwnProfile {
  return {
    ...profileOf(profile),
    visibility: profile.visibility ?? "everybody",
    directMessages: profile.directMessages ?? directMessages,
    lastSeen: lastSeenOf(profile),
    invitations: user.invitations ?? "add",
  };
}
