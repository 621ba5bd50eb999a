// What is handed to a provider's client, and what became of it: the one contract between the queue and the providers.

/** APNs, by token and topic. Headers as in Apple's "Sending notification requests to APNs". */
export interface ApnsNotification {
  provider: "apns";
  token: string;
  /** the app's bundle id; `.voip` behind it for calls */
  topic: string;
  /** of Apple's development environment */
  sandbox: boolean;
  pushType: "alert" | "background" | "voip";
  /** 10 at once, 5 when the device is awake; a background one is never 10 */
  priority: 5 | 10;
  /** at most 64 bytes: what a later one with the same id takes the place of */
  collapseId?: string;
  /** unix s; 0: now or never */
  expiresAt: number;
  /** a UUID: `apns-id`, the same each time it is tried */
  id: string;
  /** the JSON that is sent, at most 4,096 bytes, of `voip` 5,120 */
  payload: Record<string, unknown>;
}

/** FCM's HTTP v1 `message`, as firebase-admin takes it. */
export interface FcmNotification {
  provider: "fcm";
  token: string;
  /** `notification`, `data` (texts only), `android`, … without `token`; at most 4,096 bytes */
  message: Record<string, unknown>;
}

/** Web Push (RFC 8030, 8291, 8292). */
export interface WebPushNotification {
  provider: "webpush";
  endpoint: string;
  keys: { p256dh: string; auth: string };
  /** at most 3,993 bytes */
  payload: string;
  /** seconds that the push service keeps it */
  ttl: number;
  urgency: "very-low" | "low" | "normal" | "high";
  /** at most 32 characters of base64url: what a later one with the same topic takes the place of */
  topic?: string;
}

export type Outgoing = ApnsNotification | FcmNotification | WebPushNotification;
export type ProviderName = Outgoing["provider"];

/** What became of one notification. `reason`: the provider's own words or code, for logs and `parley push test`. */
export type Outcome =
  /** the provider has it; `id` as it calls it */
  | { is: "sent"; id?: string }
  /** not taken: again later, at the earliest after `afterMs`, if the provider said so; `unasked`: nothing went to it */
  | { is: "later"; reason: string; afterMs?: number; unasked?: true }
  /** surely not taken, and nothing is wrong: again at once */
  | { is: "again"; reason: string }
  /** nobody knows whether it was taken: again later, which its collapse id makes harmless */
  | { is: "unknown"; reason: string }
  /** the token is good for nothing any more; `since` (unix ms): one that was registered later is kept */
  | { is: "gone"; reason: string; since?: number }
  /** this notification will never be taken: ours is the mistake */
  | { is: "refused"; reason: string }
  /** the provider will take nothing of us until an operator, or time (`pauseMs`), has changed something */
  | { is: "misconfigured"; reason: string; pauseMs?: number };

/** One provider's client. */
export interface Sender<Notification extends Outgoing = Outgoing> {
  /** Settles always, within `deadlineMs` of the client's options; never rejects. It tries once: who calls owns retries. */
  send(notification: Notification): Promise<Outcome>;
  /** Resolves when what is in flight has settled, or at the deadline. */
  close(): Promise<void>;
}
