// The table of dialects: a new one is a new folder and a row here. Every topic has one owner, the first that knows it.
import { asschat } from "./dialects/asschat/asschat.ts";
import { asschatJson } from "./dialects/asschat/json/asschat-json.ts";
import { chat } from "./dialects/chat/chat.ts";
import { chatroom } from "./dialects/chatroom/chatroom.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { mqttChat } from "./dialects/mqtt-chat/mqtt-chat.ts";
import { slimchat } from "./dialects/slimchat/index.ts";

export type * from "./dialects/dialect.ts";
export { whenKnown } from "./dialects/when-known.ts";

export const dialects: readonly Dialect[] = [slimchat, chat, asschatJson, asschat, mqttChat, chatroom];

/** By the name that a token or a client id gave, or by a topic that the device uses; undefined: nobody knows it. */
export function dialectOf({
  name,
  topic,
  guestPrefixes = [],
  table = dialects,
}: {
  name?: string | undefined;
  topic?: string | undefined;
  guestPrefixes?: readonly string[];
  table?: readonly Dialect[];
}): Dialect | undefined {
  if (name !== undefined) return table.find((dialect) => dialect.name === name);
  return topic === undefined ? undefined : table.find((dialect) => dialect.owns(topic, guestPrefixes));
}

/** What guests of the configuration speak. */
export function dialectOfGuests(table: readonly Dialect[] = dialects): Dialect | undefined {
  return table.find(({ welcomes }) => welcomes?.guests);
}

/** Of the dialect whose devices are known by their client ids. */
export function dialectOfClientId(clientId: string, table: readonly Dialect[] = dialects): Dialect | undefined {
  return table.find((dialect) => dialect.ownsClientId?.(clientId));
}
