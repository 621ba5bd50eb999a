// A device that speaks chat: each record that it publishes is a call.
import { AppError, isSessionEnd } from "../../errors.ts";
import type { Tree } from "../../trees.ts";
import type { Parley, Published, Speaker } from "../dialect.ts";
import { BertError } from "./bert/term.ts";
import { renew, takeAuth } from "./calls/auth.ts";
import { takeStar, takeTag } from "./calls/favourites.ts";
import { takeFriend } from "./calls/friend.ts";
import { takeCursor, takeHistory } from "./calls/history.ts";
import { takeMessage } from "./calls/message.ts";
import { takeLoc, takePresence, takeTyping } from "./calls/moment.ts";
import { get as greet, takePerson, takeProfile } from "./calls/profile.ts";
import { takeMember, takeRoom } from "./calls/room.ts";
import { takeRoster } from "./calls/roster.ts";
import { takeSearch } from "./calls/search.ts";
import { refusal } from "./device/answers.ts";
import { type Call, openDevice } from "./device/device.ts";
import { type ChatRequest, type ReadPayload, readPayload } from "./records/payload.ts";
import { render } from "./render.ts";

/** Tag of the record → what takes it. */
const calls: {
  [Tag in ChatRequest["tup"]]: (call: Call, record: Extract<ChatRequest, { tup: Tag }>) => Promise<void>;
} = {
  Auth: takeAuth,
  Cursor: takeCursor,
  Friend: takeFriend,
  History: takeHistory,
  Loc: takeLoc,
  Member: takeMember,
  Message: takeMessage,
  Person: takePerson,
  Presence: takePresence,
  Profile: takeProfile,
  Room: takeRoom,
  Roster: takeRoster,
  Search: takeSearch,
  Star: takeStar,
  Tag: takeTag,
  Typing: takeTyping,
  // A web client's first packet: who it is was said at connect.
  init: async ({ device }) => renew(device),
  // Files have a WebSocket of their own.
  ftp: ({ device }) => device.answer(refusal("not_supported")),
  Link: ({ device }) => device.answer(refusal("not_supported")),
};

export function openSpeaker(tree: Tree, parley: Parley): Speaker {
  const device = openDevice(tree, parley);
  let isGreeted = false;

  /** A device that turns out to speak another set than it was greeted in is greeted in that. */
  async function hear({ form, set }: ReadPayload): Promise<void> {
    device.form = form;
    if (set === undefined || set === device.set) return;
    device.set = set;
    if (isGreeted) await greet(device, { tup: "Profile", status: "init" });
  }

  return {
    async take(packet) {
      // A Will that tells the program's version.
      if (packet.topic.startsWith("version/")) return;
      const read = readOrRefusal(packet, device.set);
      if (read instanceof AppError) return device.refuse(read);
      const { record } = read;
      const heard = hear(read);
      if (tree.owner !== "user" && record.tup !== "Auth" && record.tup !== "init")
        return device.answer(refusal("not_authorized"));
      try {
        await calls[record.tup]({ device, packet }, record as never);
        await heard;
      } catch (error) {
        await device.refuse(refusalOf(error));
      }
    },
    refused: (_, error) => device.refuse(error),
    render: (packet) => render(device, packet),
    async begin() {
      if (tree.owner !== "user") return;
      await renew(device);
      isGreeted = true;
      await greet(device, { tup: "Profile", status: "init" });
    },
  };
}

/** Throws what no device is told: a session that ended, by which the packet comes again, and failures of ours. */
function refusalOf(error: unknown): AppError {
  // What is within a field that may be anything is read by its call.
  if (error instanceof BertError) return new AppError("invalid_packet", error.message);
  if (error instanceof AppError && !isSessionEnd(error)) return error;
  throw error;
}

function readOrRefusal({ payload }: Published, set: Call["device"]["set"]): ReadPayload | AppError {
  try {
    return readPayload(payload, set);
  } catch (error) {
    if (!(error instanceof BertError)) throw error;
    return new AppError("invalid_packet", error.message);
  }
}
