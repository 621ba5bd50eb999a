// What a person at a terminal is told of the connection.
import type { Listeners } from "@parley/client";
import type { Output } from "./output.ts";

/** Tells on stderr when the connection is lost and back; ends on a refusal for good. */
export function stateListeners(output: Output, fail: (error: Error) => void): Listeners {
  let lost = false;
  return {
    refused: fail,
    error: (error) => output.note(`${error.code}: ${error.message}`),
    state(state) {
      if (state === "offline" && !lost) output.note("connection lost; trying again");
      if (state === "online" && lost) output.note("connected again");
      lost = state === "offline" || (lost && state !== "online");
    },
  };
}
