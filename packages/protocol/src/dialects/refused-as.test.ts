import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type ErrorCode } from "../errors.ts";
import { refusedAs } from "./refused-as.ts";

test("what is refused for good is stood for, what is refused for now is thrown: it is asked for again", () => {
  const caught = (code: ErrorCode) => refusedAs("nothing")(new AppError(code));
  for (const code of ["not_found", "not_member", "forbidden", "internal"] as const)
    assert.equal(caught(code), "nothing");
  for (const code of ["unavailable", "rate_limited", "pending"] as const) assert.throws(() => caught(code), { code });
});
