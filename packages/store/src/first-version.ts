/** A document's first version: one that is removed and made again must not meet the version that somebody read before. */
export function firstVersion(): number {
  return Math.floor(Math.random() * 2 ** 47) + 1;
}
