// Every method, by name. A new one is an export of its owner's file.
import type { TObject, TSchema } from "typebox";
import * as accountLife from "./account-life.ts";
import * as accounts from "./accounts.ts";
import * as aliases from "./aliases.ts";
import { attachmentsInfo, attachmentsList } from "./attachments.ts";
import * as devices from "./devices.ts";
import * as expiry from "./expiry.ts";
import * as history from "./history.ts";
import * as links from "./links.ts";
import * as logins from "./logins.ts";
import * as members from "./members.ts";
import * as messages from "./messages.ts";
import type { Method } from "./method.ts";
import * as own from "./own.ts";
import * as phones from "./phones.ts";
import * as pins from "./pins.ts";
import * as presence from "./presence.ts";
import { pushList, pushRegister, pushRemove, pushSettings, pushUpdateSettings } from "./push.ts";
import * as receipts from "./receipts.ts";
import * as rooms from "./rooms.ts";
import * as roster from "./roster.ts";
import * as scheduled from "./scheduled.ts";
import { searchMessages } from "./search.ts";
import * as storage from "./storage.ts";
import * as threads from "./threads.ts";
import * as users from "./users.ts";

export * from "./account-life.ts";
export * from "./accounts.ts";
export * from "./aliases.ts";
export * from "./attachments.ts";
export * from "./devices.ts";
export * from "./expiry.ts";
export * from "./history.ts";
export * from "./links.ts";
export * from "./logins.ts";
export * from "./members.ts";
export * from "./messages.ts";
export * from "./method.ts";
export * from "./own.ts";
export * from "./phones.ts";
export * from "./pins.ts";
export * from "./presence.ts";
export * from "./push.ts";
export * from "./receipts.ts";
export * from "./rooms.ts";
export * from "./roster.ts";
export * from "./scheduled.ts";
export * from "./search.ts";
export * from "./storage.ts";
export * from "./subscriptions.ts";
export * from "./threads.ts";
export * from "./users.ts";

const all = [
  history,
  messages,
  threads,
  pins,
  receipts,
  own,
  rooms,
  members,
  roster,
  users,
  presence,
  devices,
  accounts,
  accountLife,
  logins,
  aliases,
  scheduled,
  links,
  phones,
  storage,
  expiry,
  { searchMessages, attachmentsInfo, attachmentsList },
  { pushRegister, pushRemove, pushList, pushSettings, pushUpdateSettings },
].flatMap((file) => Object.values(file)) as unknown as Method<TObject, TSchema>[];

/** name → method */
export const methods: ReadonlyMap<string, Method<TObject, TSchema>> = new Map(
  all.map((method) => [method.name, method]),
);
