// What the run and the process of the hostile user say to each other.
import type { ResultOf, usersLogin } from "@parley/protocol";

export type Session = ResultOf<typeof usersLogin>;

/** Sent once: where the system is, and the logins of the hostile user's own devices. */
export interface Target {
  http: string;
  /** the devices of the hostile user, by what they are for */
  sessions: Record<"flood" | "poison" | "large" | "away" | "loud", Session>;
  /** an honest user, whose account is attacked with wrong passwords */
  victim: string;
  /** which attacks, by name, in turns; all of them unless said */
  attacks?: readonly string[] | undefined;
}

/** What was done to the system, counted. */
export interface Blows {
  /** QoS 0 `state` packets written to the socket */
  statePackets: number;
  /** filters named in SUBSCRIBE packets */
  filters: number;
  /** packets whose ids or bytes cannot be right */
  poison: number;
  /** publishes over the largest packet */
  tooLarge: number;
  /** CONNECTs and HTTP logins with a wrong password */
  wrongPasswords: number;
  /** persistent sessions that were left with a subscription */
  sessionsLeft: number;
  /** messages of 60 KB for those sessions */
  heavyMessages: number;
  /** requests for 500 messages */
  pages: number;
  /** messages of 30 KB, as fast as they are read */
  largeMessages: number;
  /** sockets that were opened and said nothing */
  silentSockets: number;
}

export const noBlows: Blows = {
  statePackets: 0,
  filters: 0,
  poison: 0,
  tooLarge: 0,
  wrongPasswords: 0,
  sessionsLeft: 0,
  heavyMessages: 0,
  pages: 0,
  largeMessages: 0,
  silentSockets: 0,
};
