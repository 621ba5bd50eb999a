// What the one who starts Parley can mend.

/** The message is one line for the user: what is wrong, where, and what to do. It is shown without a stack. */
export class SetupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SetupError";
  }
}
