// Which messages are pinned: in rooms by a right, between two users by either.
import { AppError, limits, type MembershipEvent, type Pin } from "@parley/protocol";
import { isCounted } from "../fold/fold-entry.ts";
import { isMember, sees } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { isOver } from "../keep/timers.ts";
import { archived } from "./decide-entry.ts";
import { refuseAction } from "./rights.ts";
import { type Decide, notMember, type Room } from "./room.ts";

const pin: Decide = (room, { event: { seq = 0 } }, { by, now }) => {
  if (!isMember(by)) return notMember();
  const refused = refusePinning(room, by);
  if (refused) return refused;
  const { about, recalled } = room.pinSight ?? { about: undefined, recalled: new Set<number>() };
  if (!about || !isCounted(about) || isOver(about, now) || !sees(by, seq) || recalled.has(seq))
    return new AppError("not_found", `there is no message ${seq} to pin here`);
  const kept = (room.pins?.list ?? []).filter((one) => !recalled.has(one.seq));
  if (kept.some((one) => one.seq === seq)) return undefined;
  if (kept.length >= limits.pinnedMessages)
    return new AppError("conflict", `${limits.pinnedMessages} messages are pinned here, the most there may be`);
  // Pages of pins are told apart by this time.
  const at = Math.max(now, (kept.at(-1)?.at ?? 0) + 1);
  return pinEvent("pin", { by: by.uid, seq, pins: [...kept, { seq, by: by.uid, at }] });
};

const unpin: Decide = (room, { event: { seq = 0 } }, { by }) => {
  if (!isMember(by)) return notMember();
  const refused = refusePinning(room, by);
  if (refused) return refused;
  const pins = (room.pins?.list ?? []).filter((one) => one.seq !== seq);
  if (pins.length === (room.pins?.list.length ?? 0) || !sees(by, seq)) return undefined;
  return pinEvent("unpin", { by: by.uid, seq, pins });
};

export const decidePin = { pin, unpin } as const;

function refusePinning({ conv, room, refused }: Room, by: Member): AppError | undefined {
  if (!conv.startsWith("room/")) return refused?.has(by.uid) ? new AppError("blocked") : undefined;
  return room?.archived ? archived() : refuseAction(room, by, "pin");
}

function pinEvent(
  event: "pin" | "unpin",
  { by, seq, pins }: { by: string; seq: number; pins: readonly Pin[] },
): MembershipEvent {
  return { event, by, uids: [], seq, pins };
}
