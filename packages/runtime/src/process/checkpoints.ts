// Named points of the path at which a test can end the process, to prove that nothing is lost there.

/** Where a process can be told to die: router before-append, before-deliver, before-puback; history before-commit, before-reply. */
export const checkpoints = [
  "before-append",
  "before-deliver",
  "before-puback",
  "before-commit",
  "before-reply",
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
