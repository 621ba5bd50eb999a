// SlimChat draft, Presence: the four words of a subscription, as the changes of a roster that they are.
import { AppError } from "../errors.ts";
import type { SubscriptionPacket } from "../packets/uplink.ts";
import { rosterConfirm, rosterRefuse, rosterRemove, rosterRequest, rosterRevoke } from "./roster.ts";

export type SubscriptionWord = SubscriptionPacket["type"];

/** The second where there is nothing for the first. */
const methodsOf = {
  subscribe: [rosterRequest],
  subscribed: [rosterConfirm],
  unsubscribe: [rosterRevoke, rosterRemove],
  unsubscribed: [rosterRefuse, rosterRevoke],
} as const;

type RosterMethod = (typeof methodsOf)[SubscriptionWord][number];

/** Answers the refusal, if there is one; both users' devices hear of the change from api. `call` rejects with refusals. */
export async function changeSubscription(
  { type, uid: id }: Pick<SubscriptionPacket, "type" | "uid">,
  call: (method: RosterMethod, params: { id: string }) => Promise<unknown>,
): Promise<AppError | undefined> {
  let refusal: AppError | undefined;
  for (const method of methodsOf[type]) {
    refusal = await call(method, { id }).then(() => undefined, AppError.from);
    if (refusal?.code !== "not_found") return refusal;
  }
  return refusal;
}
