// What an app finds in a notification beside what is shown.
import { tagOf } from "./identity.ts";
import type { Notice } from "./notice.ts";

/**
 * In APNs beside `aps`, in FCM `data` (where numbers are texts), in Web Push `data`. Who wrote is `sender`, for FCM reserves `from`.
 *
 * Where the user's preview is `none`, it is `kind`, `tag` and `badge` alone: the conversation's name holds the uids of both its
 * users, and what providers, and programs that read notifications, see would tell them who writes to whom. The app asks the server
 * what is new; what it takes away later it finds by the tag.
 */
export interface AppData {
  kind: Notice["kind"];
  /**
   * what takes the place of one another: APNs' collapse id, the tag on Android and in browsers. Its first 22 characters are the
   * conversation's (APNs' thread id): those that a `read` names are to be taken away.
   */
  tag: string;
  /** unread messages of all conversations; in APNs' alerts it stands in `aps` */
  badge: number;
  conv?: string;
  seq?: number;
  /** of the message, as its sender gave it */
  id?: string;
  /** uid of who wrote, rings, invites or asks */
  sender?: string;
  /** of a call: as its content has them */
  call?: string;
  media?: string;
}

export function appDataOf(notice: Notice): AppData {
  const { kind, badge, preview, conv, seq, id, from, content } = notice;
  const data: AppData = { kind, tag: tagOf(notice), badge };
  if (preview === "none") return data;
  if (conv !== undefined) data.conv = conv;
  if (seq !== undefined) data.seq = seq;
  if (id !== undefined) data.id = id;
  if (from !== undefined) data.sender = from.uid;
  if (content?.type !== "call") return data;
  if (typeof content.call === "string") data.call = content.call;
  if (typeof content.media === "string") data.media = content.media;
  return data;
}
