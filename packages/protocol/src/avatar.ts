// The address of a picture: of a user, of a room.
import Type from "typebox";

// Browsers take `//host/x`, and `/\host/x`, for another host.
const pattern = "^((https?://|/(?![/\\\\]))[\\x21-\\x7e]+)?$";
const address = new RegExp(pattern);

export const Avatar = Type.String({
  maxLength: 1_024,
  pattern,
  description: "address of an image: http, https, or a path of this server",
});

/** An avatar that may have been kept by an earlier version, as it is shown: empty where it is no address. */
export function shownAvatar(kept = ""): string {
  return isAvatar(kept) ? kept : "";
}

/** Whether an avatar that was kept by an earlier version may be shown. */
export function isAvatar(text: string): boolean {
  return address.test(text);
}
