// The table: every method, and what it is asked. A file of rows a subject.
import type { TableRow } from "./row.ts";
import { accountRows } from "./rows/accounts.ts";
import { conversationRows } from "./rows/conversations.ts";
import { deviceRows } from "./rows/devices.ts";
import { memberRows } from "./rows/members.ts";
import { messageRows } from "./rows/messages.ts";
import { ownRows } from "./rows/own.ts";
import { peopleRows } from "./rows/people.ts";
import { phoneRows } from "./rows/phones.ts";
import { pushRows } from "./rows/push.ts";
import { roomRows } from "./rows/rooms.ts";

export const table: readonly TableRow[] = [
  ...conversationRows,
  ...messageRows,
  ...ownRows,
  ...roomRows,
  ...memberRows,
  ...peopleRows,
  ...deviceRows,
  ...pushRows,
  ...phoneRows,
  ...accountRows,
];
