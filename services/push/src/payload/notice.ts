// What a device is to be told, before it is put into a provider's words.

/** How much a user's notifications show: all, only who wrote, or neither. */
export type Preview = "full" | "name" | "none";

export interface Notice {
  /**
   * `message`: one was stored. `call`: somebody rings. `invitation`: into a room. `request`: somebody wants to be a contact.
   * `accepted`: somebody is one now. `read`: another device of the user read; nothing is shown. `test`: by an operator.
   */
  kind: "message" | "call" | "invitation" | "request" | "accepted" | "read" | "test";
  /** of the device that is told: `{uid}` of its user, and its client id */
  uid: string;
  clientId: string;
  /** the conversation, but for `request`, `accepted` and `test` */
  conv?: string;
  seq?: number;
  /** id of the message, as its sender gave it */
  id?: string;
  /** who wrote, rings, invites or asks: name as the user knows it */
  from?: { uid: string; name: string };
  /** of a room: what it is called */
  room?: { id: string; name: string };
  /** the message's content; of a call `media` and `call` */
  content?: { type: string; [field: string]: unknown };
  /** it mentions the user */
  mentioned?: boolean;
  /** unread messages of all conversations of the user */
  badge: number;
  /** unread messages of this conversation */
  unread?: number;
  preview: Preview;
  /** BCP 47, of the device; English where there are no words of it */
  language: string;
  /** of a picture or film: signed and short-lived */
  thumbnailUrl?: string;
  /** unix ms: when what it tells of happened */
  at: number;
  /** unix ms: from when on it is of no use */
  expiresAt: number;
}
