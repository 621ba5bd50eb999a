// The address of a picture: of a user, of a room.
import Type from "typebox";

const pattern = "^((https?://|/)[\\x21-\\x7e]+)?$";
const address = new RegExp(pattern);

export const Avatar = Type.String({
  maxLength: 1_024,
  pattern,
  description: "address of an image: http, https, or a path of this server",
});

/** Whether an avatar that was kept by an earlier version may be shown. */
export function isAvatar(text: string): boolean {
  return address.test(text);
}
