// What may be typed instead of a message: /help, /quit and the room's commands.
import type { ParleyClient } from "@parley/client";
import { parseConv, roomsInvite, roomsLeave, roomsMembers, roomsRemove } from "@parley/protocol";
import { UsageError } from "../failure.ts";

const slashHelp = `/help               this
/quit               leave the chat (Ctrl-D too)
/room               who is in this room
/room invite UID…   add members
/room remove UID…   remove members
/room leave         leave the room
/show STATE [TEXT]  how contacts see you: online, away, dnd, invisible
//text              a message that begins with a slash`;

/** Works a line that begins with a slash; answers what to print, or `quit`. */
export async function workSlash(client: ParleyClient, conv: string, line: string): Promise<string | "quit"> {
  const [name, ...words] = line.slice(1).trim().split(/\s+/);
  if (name === "help") return slashHelp;
  if (name === "quit" || name === "exit") return "quit";
  if (name === "show") return show(client, words);
  if (name === "room") return workRoom(client, conv, words);
  throw new UsageError(`unknown command /${name}; /help lists them`);
}

const shows = ["online", "chat", "away", "dnd", "invisible"] as const;

function show(client: ParleyClient, [given, ...words]: string[]): string {
  const state = shows.find((one) => one === given);
  if (state === undefined) throw new UsageError("/show online, /show away, /show dnd or /show invisible");
  client.setDeviceState({ show: state, ...(words.length > 0 && { status: words.join(" ") }) });
  return `contacts see you as ${state === "invisible" ? "offline" : state}`;
}

async function workRoom(client: ParleyClient, conv: string, [verb, ...uids]: string[]): Promise<string> {
  const conversation = parseConv(conv);
  if (conversation?.kind !== "room") throw new UsageError("this is no room; rooms are made by: parley rooms create");
  const id = conversation.roomId;
  if (verb === undefined || verb === "members") {
    const { members } = await client.request(roomsMembers, { id });
    return members.map(({ uid, role }) => (role === "member" ? uid : `${uid} (${role})`)).join(", ");
  }
  if (verb === "leave") {
    await client.request(roomsLeave, { id });
    return "quit";
  }
  if ((verb !== "invite" && verb !== "remove") || uids.length === 0)
    throw new UsageError("/room, /room invite UID…, /room remove UID… or /room leave");
  const changed = await client.request(verb === "invite" ? roomsInvite : roomsRemove, { id, uids });
  return changed.uids.length > 0
    ? `${verb === "invite" ? "added" : "removed"} ${changed.uids.join(", ")}`
    : "nothing changed";
}
