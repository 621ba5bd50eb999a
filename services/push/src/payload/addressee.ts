// Where a notification goes, as far as its words depend on it.

export interface Addressee {
  kind: "fcm" | "apns" | "apns-voip" | "webpush";
  /** of Web Push the endpoint */
  token: string;
  /** of Web Push */
  keys?: { p256dh: string; auth: string } | undefined;
  /** of APNs the bundle id */
  appId: string;
  /** of Apple's development environment */
  sandbox: boolean;
}
