/** More pixels than are decoded. */
export class TooLarge extends Error {}
