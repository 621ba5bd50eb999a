// Sessions that were away, of devices that are connecting: where the broker does not take the CONNECT they are what they were.
import type { Away, Waiting } from "./away.ts";
import type { Member } from "./member.ts";

export interface Forgotten {
  /** The device connects. */
  claimed(clientId: string): void;
  /** The broker has taken its CONNECT, or the session is ended. */
  over(clientId: string): void;
  /** It left. True: before the broker had taken its CONNECT, and the session waits again. */
  putBack(member: Pick<Member, "clientId" | "connectedAt">): boolean;
}

export function openForgotten(away: Pick<Away, "forget" | "putBack">): Forgotten {
  const sessions = new Map<string, Waiting>();
  return {
    claimed(clientId) {
      const session = away.forget(clientId);
      if (session) sessions.set(clientId, session);
    },
    over: (clientId) => void sessions.delete(clientId),
    putBack({ clientId, connectedAt }) {
      const session = sessions.get(clientId);
      sessions.delete(clientId);
      if (session === undefined || connectedAt > 0) return false;
      away.putBack(clientId, session);
      return true;
    },
  };
}
