// The bytes of bodies that were parsed: a message is stored as it was sent.
export const rawBodies = new WeakMap<object, Uint8Array>();
