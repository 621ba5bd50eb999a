// Guests' logins, as the setting GUESTS has them.
import { isUid } from "@parley/protocol";

export interface Guest {
  name: string;
  password: string;
  /** the topics that it may use begin so; empty: any */
  prefix: string;
}

/** `user:password:prefix`, several with commas. Throws an Error that says what is wrong. */
export function readGuests(text: string): Guest[] {
  const guests = text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map(readGuest);
  if (new Set(guests.map(({ name }) => name)).size < guests.length) throw new Error("two guests have one name");
  return guests;
}

function readGuest(text: string): Guest {
  const [name = "", password = "", ...prefix] = text.split(":");
  if (!isUid(name) || password === "" || prefix.length === 0)
    throw new Error("a guest is USER:PASSWORD:PREFIX, the prefix of its topics may be empty");
  return { name, password, prefix: prefix.join(":") };
}
