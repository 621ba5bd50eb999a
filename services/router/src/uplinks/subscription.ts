// The four words of a subscription, as the changes of a roster that they are.
import {
  AppError,
  type Caller,
  rosterConfirm,
  rosterRefuse,
  rosterRemove,
  rosterRequest,
  rosterRevoke,
  type SubscriptionPacket,
} from "@parley/protocol";
import { callMethod, type NatsConnection } from "@parley/runtime";

const timeoutMs = 10_000;

/** The second where there is nothing for the first. */
const methodsOf = {
  subscribe: [rosterRequest],
  subscribed: [rosterConfirm],
  unsubscribe: [rosterRevoke, rosterRemove],
  unsubscribed: [rosterRefuse, rosterRevoke],
} as const;

/** Answers the refusal, if api refuses it; both users' devices hear of the change from api. */
export async function changeSubscription(
  nats: NatsConnection,
  { type, uid: id }: SubscriptionPacket,
  caller: Caller,
): Promise<AppError | undefined> {
  let refusal: AppError | undefined;
  for (const method of methodsOf[type]) {
    refusal = await callMethod(nats, method, caller, { id }, { timeoutMs }).then(() => undefined, AppError.from);
    if (refusal?.code !== "not_found") return refusal;
  }
  return refusal;
}
