// The methods of people: profiles and rosters.
import {
  profileGet,
  profileUpdate,
  rosterAdd,
  rosterBlock,
  rosterConfirm,
  rosterList,
  rosterMute,
  rosterRefuse,
  rosterRemove,
  rosterRequest,
  rosterRevoke,
  rosterUnblock,
  rosterUnmute,
  rosterUpdate,
  usersGet,
  usersSearch,
} from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import { type Bound, bind } from "../call.ts";
import { changeRoster, type RosterParts, startFinishingRosters } from "./change.ts";
import type { Details } from "./decide.ts";
import { listRoster } from "./list.ts";
import { ownProfile, type ProfileParts, seenProfile, startFinishingProfiles, updateProfile } from "./profiles.ts";
import { startRetelling } from "./retell.ts";
import { type SearchParts, searchUsers } from "./search.ts";
import { createRosterSizes } from "./sizes.ts";
import { startTellingProfiles } from "./tell-profile.ts";
import { startTellingPush } from "./tell-push.ts";

const acts = [
  [rosterRemove, "remove"],
  [rosterBlock, "block"],
  [rosterUnblock, "unblock"],
  [rosterMute, "mute"],
  [rosterUnmute, "unmute"],
  [rosterRequest, "request"],
  [rosterConfirm, "confirm"],
  [rosterRefuse, "refuse"],
  [rosterRevoke, "revoke"],
] as const;

export interface People {
  methods: Bound[];
  close(): Promise<void>;
}

/** Finishes what an earlier process left, until it is closed. */
export function startPeople(given: Omit<ProfileParts & RosterParts & SearchParts, "sizes"> & { log: Logger }): People {
  const parts = { ...given, sizes: createRosterSizes(given.store) };
  const finishing = [
    startFinishingRosters(parts, given.log),
    startFinishingProfiles(parts, given.log),
    startRetelling(parts, given.log),
    startTellingProfiles(parts, given.log),
    startTellingPush(parts, given.log),
  ];
  return {
    methods: peopleMethods(parts),
    async close() {
      await Promise.all(finishing.map((one) => one.close()));
    },
  };
}

function peopleMethods(parts: ProfileParts & RosterParts & SearchParts): Bound[] {
  const { store } = parts;
  return [
    bind(profileGet, (_params, { caller }) => ownProfile(parts, caller.uid)),
    bind(profileUpdate, (params, { caller }) => updateProfile(parts, params, caller.uid)),
    bind(usersGet, ({ uid }, { caller }) => seenProfile(parts, uid, caller.uid)),
    bind(usersSearch, (params, { caller }) => searchUsers(parts, params, caller.uid)),
    bind(rosterList, (params, { caller }) => listRoster(store, params, caller)),
    bind(rosterAdd, ({ id, ...details }, call) =>
      changeRoster(parts, { act: "add", id, details: detailsOf(details) }, call),
    ),
    bind(rosterUpdate, ({ id, ...details }, call) =>
      changeRoster(parts, { act: "update", id, details: detailsOf(details) }, call),
    ),
    ...acts.map(([method, act]) => bind(method, ({ id }, call) => changeRoster(parts, { act, id }, call))),
  ];
}

// As names are kept: composed.
function detailsOf({ nick, group, note, tags }: { [Field in keyof Details]?: Details[Field] | undefined }): Details {
  return {
    ...(nick === undefined ? {} : { nick: nick.normalize("NFC") }),
    ...(group === undefined ? {} : { group: group.normalize("NFC") }),
    ...(note === undefined ? {} : { note: note.normalize("NFC") }),
    ...(tags === undefined ? {} : { tags: tags.map((tag) => tag.normalize("NFC")) }),
  };
}
