// ASSChat, Push Notification: the device says by which token it is notified while it is away.
import { AppError } from "../../../errors.ts";
import { type PushRegistration, pushRegister, pushRemove } from "../../../methods/push.ts";
import type { Device } from "../device.ts";
import type { Done } from "./answers.ts";
import type { Request } from "./requests.ts";

const kinds: Readonly<Record<string, PushRegistration["kind"]>> = { APNS: "apns", FCM: "fcm" };

/** Throws the refusal. */
export async function registerToken({ parley }: Device, asked: Request<"push_token_reg">): Promise<Done> {
  const { push_target: target, device_token: token, app_id: appId } = asked;
  const kind = Object.hasOwn(kinds, target) ? kinds[target] : undefined;
  if (kind === undefined) throw new AppError("invalid_packet", `push_target is ${Object.keys(kinds).join(" or ")}`);
  await parley.call(pushRegister, { kind, token, ...(appId === undefined ? {} : { appId }) });
  return { rcode: 201, rmsg: "device token registered" };
}

/** Throws the refusal. */
export async function unregisterToken({ parley }: Device): Promise<Done> {
  await parley.call(pushRemove, {});
  return { rcode: 200, rmsg: "device token unregistered" };
}
