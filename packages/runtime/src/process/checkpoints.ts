// Named points of the path at which a test can end the process, to prove that nothing is lost there.

/**
 * Where a process can be told to die: the router, then history, search and api. docs/fault.md says which operation has which points,
 * and which test kills there.
 */
export const checkpoints = [
  ...["before-append", "before-deliver", "before-puback"],
  ...["before-onward", "before-onward-done", "before-onward-taken", "before-batch-announced"],
  ...["before-commit", "before-reply"],
  ...["before-emptied", "before-place-left", "before-annotations", "before-mark-moved", "before-own-reply"],
  ...["before-expiry", "before-timer-removed"],
  ...["before-index-mark", "before-index-switch", "before-others-removed"],
  ...["before-index-put", "before-index-ack", "before-index-compacted"],
  ...["before-change", "before-structure", "before-change-reply"],
  ...["before-room-emptied", "before-room-forgotten"],
  ...["before-room-part", "before-room-reply"],
  ...["before-refresh", "before-refresh-reply"],
  ...["before-password", "before-revocation", "before-announcement", "before-password-reply"],
  "before-user",
  ...["before-login-shared", "before-added", "before-moved", "before-move-revocation", "before-login-settled"],
  ...["before-standing", "before-standing-revocation", "before-standing-doors"],
  ...[
    "before-attachment",
    "before-attachment-settled",
    "before-upload-end",
    "before-bytes-removed",
    "before-freed-told",
  ],
  ...["before-closing", "before-user-removed", "before-conversation-left"],
  ...["before-files-removed", "before-erasure-done"],
  ...["before-entries-erased", "before-member-removed"],
  ...["before-unnamed", "before-thumbnail", "after-thumbnail", "before-infected-removed"],
  ...["before-relation", "before-doors", "before-told", "before-relation-reply"],
  ...["before-entries", "before-contacts-told", "before-notice-told"],
  ...["before-schedule-reply", "before-scheduled-send", "before-scheduled-done"],
  ...["before-push-queued", "before-stored-taken", "before-push-send", "before-push-settled", "before-push-taken"],
  "before-letter-removed",
  ...["before-token", "before-earlier-token", "before-token-told", "before-push-erased", "before-tokens-erased"],
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
