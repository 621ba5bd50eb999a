// The methods about tokens (packages/protocol/src/methods/push.ts).
import { AppError, pushList, pushRegister, pushRemove, type RegisteredToken } from "@parley/protocol";
import { handle, type MethodHandler } from "@parley/runtime";
import { askedDevice, askedUser, registeringDevice } from "./caller.ts";
import { type Defaults, readRegistration } from "./check.ts";
import type { PushToken } from "./token.ts";
import type { Tokens } from "./tokens.ts";

interface Parts {
  tokens: Pick<Tokens, "logins" | "register" | "remove" | "removeDevice" | "list">;
  defaults: Defaults;
}

const shownCharacters = 6;

export function tokenMethods({ tokens, defaults }: Parts): MethodHandler[] {
  const { logins } = tokens;
  return [
    handle(pushRegister, async (params, caller) => {
      const registration = readRegistration(params, defaults);
      if (registration instanceof AppError) return registration;
      const device = await registeringDevice(logins, params, caller);
      if (device instanceof AppError) return device;
      const id = await tokens.register(device, registration);
      return id instanceof AppError ? id : { id };
    }),
    handle(pushRemove, async (params, caller, { again }) => {
      if (params.id === undefined) {
        const device = await askedDevice(logins, params, caller);
        if (device instanceof AppError) return device;
        await tokens.removeDevice(device.uid, device.clientId);
        return {};
      }
      const uid = await askedUser(logins, params, caller);
      if (uid instanceof AppError) return uid;
      const isMine = (await tokens.list(uid)).some(({ key }) => key === params.id);
      if (isMine) await tokens.remove(params.id);
      return isMine || again ? {} : new AppError("not_found", "no such token");
    }),
    handle(pushList, async (params, caller) => {
      const uid = await askedUser(logins, params, caller);
      if (uid instanceof AppError) return uid;
      const found = await tokens.list(uid);
      return { tokens: found.toSorted((one, other) => other.registeredAt - one.registeredAt).map(rowOf) };
    }),
  ];
}

/** Who has all of a token can send to its device. */
function rowOf({ key, clientId, kind, token, appId, language, sandbox, registeredAt }: PushToken): RegisteredToken {
  const shown = kind === "webpush" ? new URL(token).origin : `…${token.slice(-shownCharacters)}`;
  const isApple = kind === "apns" || kind === "apns-voip";
  return { id: key, clientId, kind, token: shown, appId, language, ...(isApple ? { sandbox } : {}), registeredAt };
}
