// What a user who is erased sent, conversation by conversation: it leaves, then history empties its messages, a stretch at a time.
import { AppError, type ChangeRequest, parseConv, type RoomView } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import type { History } from "../history.ts";
import type { EraseOthers } from "./others.ts";

interface Parts {
  history: History;
  others: EraseOthers;
  pass: Pass;
}

const roundsMax = 1_000_000;

/** A conversation that is done is history's no more, so that what is left is asked for again and again. */
export async function eraseConversations(parts: Parts, uid: string): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const convs = await parts.history.conversationsOf(uid);
    if (convs.length === 0) return;
    for (const conv of convs) {
      if (parseConv(conv)?.kind === "room") await leave(parts, conv, uid);
      parts.pass("before-conversation-left");
      await eraseMessages(parts, conv, uid);
    }
  }
  throw new AppError("internal", `conversations of ${uid} come again and again`);
}

async function eraseMessages({ history, others }: Parts, conv: string, uid: string): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const { seqs, next }: { seqs: number[]; next: number | null } = await history.erase({ conv, uid, after });
    if (seqs.length > 0) await others.unsearch(conv, seqs);
    after = next;
  }
}

// The last one deletes the room; an owner is followed by the longest-standing admin, else member.
async function leave(parts: Parts, conv: string, uid: string): Promise<void> {
  const { rooms } = await parts.history.rooms({ uid, convs: [conv] });
  const [view] = rooms;
  if (!view || view.room?.deleted) return;
  if (view.member) await change(parts, view, uid, isAlone(view) ? "delete" : "leave");
  else if (view.standing === "invited" || view.standing === "asking") await change(parts, view, uid, "refuse");
}

function isAlone({ members, member }: RoomView): boolean {
  return members === 1 && member?.role === "owner";
}

async function change({ history }: Parts, { conv }: RoomView, uid: string, event: "delete" | "leave" | "refuse") {
  const request: ChangeRequest = {
    conv,
    id: `erase-${event}`,
    // No client has it: what the user said under this id is not taken for the change.
    device: "",
    origin: "api",
    event: { event, by: uid, uids: event === "delete" ? [] : [uid] },
  };
  await history.change(request);
}
