// The table: every method, and what it is asked. A file of rows a subject.
import type { TableRow } from "./row.ts";
import { accountRows } from "./rows/accounts.ts";
import { conversationRows } from "./rows/conversations.ts";
import { memberRows } from "./rows/members.ts";
import { messageRows } from "./rows/messages.ts";
import { ownRows } from "./rows/own.ts";
import { roomRows } from "./rows/rooms.ts";

export const table: readonly TableRow[] = [
  ...conversationRows,
  ...messageRows,
  ...ownRows,
  ...roomRows,
  ...memberRows,
  ...accountRows,
];

/** Methods whose rows are still to be written. */
export const unwritten: readonly string[] = [
  "devices.list",
  "devices.remove",
  "devices.removeOthers",
  "devices.update",
  "presence.get",
  "presence.list",
  "profile.get",
  "profile.update",
  "roster.add",
  "roster.block",
  "roster.confirm",
  "roster.list",
  "roster.mute",
  "roster.refuse",
  "roster.remove",
  "roster.request",
  "roster.revoke",
  "roster.unblock",
  "roster.unmute",
  "roster.update",
  "users.get",
  "users.search",
];
