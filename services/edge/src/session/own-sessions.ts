// Whose sessions this edge knows: connected, and away. It is asked for each copy that goes past the broker.
import { uidOfClientId } from "@parley/protocol";

/** What stands for a connection here. */
interface Connected {
  clientId: string;
  username: string | null;
  hasTree: boolean;
}

export interface OwnSessions<Member extends Connected> {
  add(member: Member): void;
  remove(member: Member): void;
  /** A session outlives its connection, until `back`: once for each time. */
  away(clientId: string, username: string | null): void;
  back(clientId: string, username: string | null): void;
  /** Connections of the user's native devices; undefined: a session is away, or somebody hears what is others'. */
  allOf(uid: string): ReadonlySet<Member> | undefined;
  /** Its connections, whatever else there is. */
  connectionsOf(uid: string): ReadonlySet<Member>;
  hasOthers(uid: string, clientId: string): boolean;
  /** Has somebody a session, connected or away, that hears what is others'? */
  isWatched(): boolean;
}

const nobody: ReadonlySet<never> = new Set<never>();

/** `seesAll`: the username that hears what it likes. */
export function openOwnSessions<Member extends Connected>(seesAll: string): OwnSessions<Member> {
  const connected = new Map<string, Set<Member>>();
  /** uid → sessions */
  const awayOf = new Map<string, number>();
  let watching = 0;

  return {
    add(member) {
      if (member.username === seesAll) watching += 1;
      const uid = nativeUid(member);
      if (uid === undefined) return;
      const own = connected.get(uid);
      if (own) own.add(member);
      else connected.set(uid, new Set([member]));
    },
    remove(member) {
      if (member.username === seesAll) watching -= 1;
      const uid = nativeUid(member) ?? "";
      const own = connected.get(uid);
      own?.delete(member);
      if (own?.size === 0) connected.delete(uid);
    },
    away(clientId, username) {
      if (username === seesAll) watching += 1;
      const uid = uidOfClientId(clientId);
      if (uid !== undefined) awayOf.set(uid, (awayOf.get(uid) ?? 0) + 1);
    },
    back(clientId, username) {
      if (username === seesAll) watching -= 1;
      const uid = uidOfClientId(clientId) ?? "";
      const left = (awayOf.get(uid) ?? 0) - 1;
      if (left > 0) awayOf.set(uid, left);
      else awayOf.delete(uid);
    },
    allOf: (uid) => (watching > 0 || awayOf.has(uid) ? undefined : (connected.get(uid) ?? nobody)),
    connectionsOf: (uid) => connected.get(uid) ?? nobody,
    isWatched: () => watching > 0,
    hasOthers(uid, clientId) {
      if (awayOf.has(uid)) return true;
      for (const member of connected.get(uid) ?? nobody) if (member.clientId !== clientId) return true;
      return false;
    },
  };
}

function nativeUid({ clientId, hasTree }: Connected): string | undefined {
  return hasTree ? undefined : uidOfClientId(clientId);
}
