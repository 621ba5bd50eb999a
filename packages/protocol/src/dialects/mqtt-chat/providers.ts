// The table of packets: a new kind is a new file in packets/ and a row here. Of several of one suffix the first takes it.
import { calls } from "./packets/call.ts";
import { chatStates } from "./packets/chat-state.ts";
import { groupProfiles } from "./packets/group-profile.ts";
import { invitations } from "./packets/invitation.ts";
import { members } from "./packets/members.ts";
import { groupMessages, messages } from "./packets/message.ts";
import { presence } from "./packets/presence.ts";
import { profiles } from "./packets/profile.ts";
import type { Provider } from "./packets/provider.ts";
import { receipts } from "./packets/receipt.ts";
import { refusals } from "./packets/refusal.ts";

export const providers: readonly Provider[] = [
  invitations,
  members,
  groupProfiles,
  messages,
  groupMessages,
  calls,
  chatStates,
  receipts,
  presence,
  profiles,
  refusals,
];

const bySuffix = new Map([...providers].reverse().flatMap((one) => one.suffixes.map((suffix) => [suffix, one])));

/** Whose the part of a topic behind the first `/` is. */
export function providerOf(suffix: string): Provider | undefined {
  return bySuffix.get(suffix);
}
