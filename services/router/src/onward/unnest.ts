// A room that has ended is nested nowhere any more: nobody's act.
import { AppError, type ChangeRequest, withoutDevice } from "@parley/protocol";
import type { AskHolder } from "@parley/runtime";
import type { HandOnParts } from "./hand-on.ts";

export function createUnnest(askHolder: AskHolder): HandOnParts["gone"] {
  return (conv, room) => {
    const event = { event: "unnest" as const, by: "parley", uids: [], rooms: [room] };
    const asked: ChangeRequest = {
      ...{ conv, id: `gone:${room}`, device: withoutDevice, origin: "api" },
      ...{ event, manages: [room] },
    };
    return askHolder.json("change", conv, asked).catch(unlessDone);
  };
}

// Another message found so before, or the room it was nested in has ended too.
function unlessDone(error: unknown): void {
  const refused = AppError.from(error);
  if (refused.code !== "not_found" && refused.code !== "not_member") throw refused;
}
