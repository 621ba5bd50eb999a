// What is asked for so that a device can be told of something, and may be refused or out of reach.
import { AppError, isForNow } from "../errors.ts";

/** For `catch`: `otherwise` stands for what is refused for good. What cannot be had now is thrown: it is asked for again. */
export function refusedAs<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    const refusal = AppError.from(error);
    if (isForNow(refusal)) throw refusal;
    return otherwise;
  };
}
