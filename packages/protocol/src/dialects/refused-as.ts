// What is asked for so that a device can be told of something, and may be refused or out of reach.
import { AppError } from "../errors.ts";

/** For `catch`: `otherwise` stands for what is refused for good. What cannot be had now is thrown: it is asked for again. */
export function refusedAs<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    const refusal = AppError.from(error);
    if (refusal.code === "unavailable") throw refusal;
    return otherwise;
  };
}
