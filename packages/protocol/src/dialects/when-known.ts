// What is at hand is used at once: most messages need no question, and a promise for each costs more than the words.

/** `next` of the value, now where it is known. */
export function whenKnown<A, B>(value: A | Promise<A>, next: (known: A) => B): B | Promise<Awaited<B>> {
  return value instanceof Promise ? (value.then(next) as Promise<Awaited<B>>) : next(value);
}
