// Named points of the path at which a test can end the process, to prove that nothing is lost there.

/**
 * Where a process can be told to die: router, history, history while it ends messages whose time is over, search while it builds,
 * history and api with a room's change, api with a refresh in hand, with a change of password or of a login's accounts, while it disables or erases a user,
 * with a file, with a thumbnail, with a change of a roster, while it tells of a changed profile, with a scheduled message.
 */
export const checkpoints = [
  ...["before-append", "before-deliver", "before-puback"],
  ...["before-commit", "before-reply"],
  ...["before-expiry", "before-timer-removed"],
  "before-index-mark",
  ...["before-change", "before-structure", "before-change-reply"],
  ...["before-room-reply"],
  ...["before-refresh", "before-refresh-reply"],
  ...["before-password", "before-revocation", "before-announcement", "before-password-reply"],
  ...["before-login-shared", "before-added", "before-moved", "before-move-revocation", "before-login-settled"],
  ...["before-standing", "before-standing-revocation", "before-standing-doors"],
  ...["before-attachment", "before-upload-end"],
  ...["before-closing", "before-user-removed", "before-conversation-left"],
  ...["before-files-removed", "before-erasure-done"],
  ...["before-entries-erased", "before-member-removed"],
  ...["before-thumbnail", "after-thumbnail", "before-infected-removed"],
  ...["before-relation", "before-doors", "before-told", "before-relation-reply"],
  ...["before-entries", "before-contacts-told"],
  ...["before-schedule-reply", "before-scheduled-send", "before-scheduled-done"],
] as const;
export type Checkpoint = (typeof checkpoints)[number];
/** Marks that the work in hand has come to this point. */
export type Pass = (point: Checkpoint) => void;

/** `{point}:{n}`: `die` is called when the point is passed for the n-th time. Without a setting nothing happens. */
export function createPass(setting: string | undefined, die: () => void): Pass {
  if (!setting) return () => undefined;
  const [point, count = "1"] = setting.split(":");
  let left = Number(count);
  return (passed) => {
    if (passed !== point) return;
    left -= 1;
    if (left === 0) die();
  };
}
