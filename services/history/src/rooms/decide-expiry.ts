// When the messages of a conversation disappear: in rooms by a right, between two users by either.
import { AppError } from "@parley/protocol";
import { isMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { archived } from "./decide-entry.ts";
import { refuseAction } from "./rights.ts";
import { type Decide, notMember, type Room } from "./room.ts";

const setExpiry: Decide = (room, { event: { expiry = null } }, { by }) => {
  if (!isMember(by)) return notMember();
  const refused = refuseSetting(room, by);
  if (refused) return refused;
  const known = room.expiry?.expiry ?? null;
  if (known?.seconds === expiry?.seconds && known?.from === expiry?.from) return undefined;
  return { event: "expiry", by: by.uid, uids: [], expiry };
};

export const decideExpiry = { expiry: setExpiry } as const;

function refuseSetting({ conv, room, refused }: Room, by: Member): AppError | undefined {
  if (!conv.startsWith("room/")) return refused?.has(by.uid) ? new AppError("blocked") : undefined;
  return room?.archived ? archived() : refuseAction(room, by, "update");
}
