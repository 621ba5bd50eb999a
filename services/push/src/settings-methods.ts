// The methods about how a user is notified.
import { AppError, type PushSettings, pushSettings, pushUpdateSettings } from "@parley/protocol";
import { handle, type MethodHandler } from "@parley/runtime";
import type { Settings, UserSettings } from "./settings.ts";
import { askedUser } from "./tokens/caller.ts";
import type { Logins } from "./tokens/logins.ts";

interface Parts {
  settings: Pick<Settings, "of" | "change">;
  logins: Logins;
  vapidPublicKey: string;
}

export function settingsMethods({ settings, logins, vapidPublicKey }: Parts): MethodHandler[] {
  const shown = (of: UserSettings): PushSettings => ({ ...of, vapidPublicKey });
  return [
    handle(pushSettings, async (params, caller) => {
      const uid = await askedUser(logins, params, caller);
      return uid instanceof AppError ? uid : shown(await settings.of(uid));
    }),
    handle(pushUpdateSettings, async ({ uid: named, ...change }, caller) => {
      const uid = await askedUser(logins, { uid: named }, caller);
      if (uid instanceof AppError) return uid;
      const changed = await settings.change(uid, change);
      return changed instanceof AppError ? changed : shown(changed);
    }),
  ];
}
