// Which tokens are to be told of what happened: by who has tokens, and how their devices are there. Pure.
import type { PushJob, PushPresenceReply, PushProvider, Receiver } from "@parley/protocol";
import type { ProviderJob } from "../queue/jobs.ts";
import { type PushToken, providerOf } from "../tokens/token.ts";

/** A token, as far as it matters here. */
export type TokenOfDevice = Pick<PushToken, "key" | "uid" | "clientId" | "kind">;

/** Something that happened, and whom it is for. */
export interface Told {
  what: Pick<PushJob, "kind" | "conv" | "seq" | "by" | "at">;
  /** one list for all that is told to a room */
  receivers: readonly Receiver[];
  /** who wrote it: told of it by nobody, though among them */
  except?: string;
  /** the device that it was done with */
  exceptDevice?: string | undefined;
}

/** `tokens`: by uid; who has none may be missing. */
export function decideJobs(
  told: Told,
  tokens: ReadonlyMap<string, readonly TokenOfDevice[]>,
  presence: PushPresenceReply["users"],
  isOn: (provider: PushProvider) => boolean,
): ProviderJob[] {
  const { what, receivers, except, exceptDevice } = told;
  return receivers.flatMap(({ uid, devices }) => {
    if (uid === except) return [];
    const { dnd = false, devices: connected = [] } = presence[uid] ?? {};
    if (dnd && what.kind !== "read") return [];
    const active = new Set(connected.filter((device) => device.active).map(({ clientId }) => clientId));
    const asleep = (tokens.get(uid) ?? []).filter(
      ({ clientId }) =>
        clientId !== exceptDevice && !active.has(clientId) && (devices === undefined || devices.includes(clientId)),
    );
    return tokensFor(what.kind, asleep).flatMap((token) => {
      const provider = providerOf(token.kind);
      if (!isOn(provider)) return [];
      return [{ provider, job: { ...what, uid, clientId: token.clientId, token: token.key } }];
    });
  });
}

// A phone rings by its voip token, where it has one. Nothing else may be sent to that: Apple ends an app's voip pushes for it.
function tokensFor(kind: PushJob["kind"], tokens: readonly TokenOfDevice[]): readonly TokenOfDevice[] {
  const others = tokens.filter((token) => token.kind !== "apns-voip");
  if (kind === "read") return others.filter((token) => token.kind !== "webpush");
  if (kind !== "call") return others;
  const ringing = new Set(tokens.filter((token) => token.kind === "apns-voip").map(({ clientId }) => clientId));
  return tokens.filter((token) => token.kind !== "apns" || !ringing.has(token.clientId));
}
