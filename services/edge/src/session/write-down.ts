// Sessions that outlive their connections are written down at the broker, those of which it has nothing before their devices may subscribe.
import type { Records } from "../broker/records.ts";
import type { Member } from "./member.ts";

type Kept = Pick<Member, "clientId" | "username" | "sessionExpirySeconds" | "connectionId">;

export interface WriteDown {
  /** It is written soon, or goes when its session ends with the connection. */
  keep(member: Kept): void;
  /** Resolves when an edge that comes after a `kill -9` knows of the session. False: the broker did not take it. */
  now(member: Kept): Promise<boolean>;
}

/** `write`: resolves false when the broker does not take what is written down of this client id. */
export function openWriteDown(records: Records, write: (clientId: string) => Promise<boolean>): WriteDown {
  function keep({ clientId, username, sessionExpirySeconds, connectionId }: Kept): void {
    if (sessionExpirySeconds === 0) records.drop(clientId);
    else records.keep(clientId, { username, sessionExpirySeconds, connectionId });
  }

  return {
    keep,
    async now(member) {
      keep(member);
      if (member.sessionExpirySeconds === 0 || records.isWritten(member.clientId)) return true;
      return write(member.clientId);
    },
  };
}
