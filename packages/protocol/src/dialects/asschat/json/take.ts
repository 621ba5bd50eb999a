// What a device published: a message, a request, or how it is there.
import { AppError, isSessionEnd } from "../../../errors.ts";
import { createTurns } from "../../../turns.ts";
import type { Published, Speaker } from "../../dialect.ts";
import type { Device } from "../device.ts";
import { type Asked, type Done, requestIdIn, writeDone, writeRefusal } from "./answers.ts";
import { createChannel, deleteChannel, deleteUsers, updateUsers } from "./channel-commands.ts";
import { messageType, readMessage, takeMessage, waitsForMembers } from "./messages.ts";
import { registerToken, unregisterToken } from "./push-tokens.ts";
import { isVerb, noSuchVerb, type Request, readRequest, type Verb } from "./requests.ts";
import { searchChannels, searchUsers } from "./search.ts";
import type { Status } from "./status.ts";
import { readTopic } from "./topics.ts";

/** Each throws the refusal. `dup`: it may have come before. */
const works: { readonly [V in Verb]: (device: Device, request: Request<V>, dup: boolean) => Promise<Done> } = {
  ch_create: createChannel,
  ch_search: searchChannels,
  ch_delete: deleteChannel,
  ch_users_update: updateUsers,
  ch_users_search: searchUsers,
  ch_users_delete: deleteUsers,
  push_token_reg: registerToken,
  push_token_unreg: unregisterToken,
};

/** All that a device asks for is of one turn. */
const requests = "";
const topics = "ch/{ChID}, ass/s/{ch_create, …}, status/{client id}";

export function createTake(device: Device, status: Status): Speaker["take"] {
  const { parley, tree } = device;
  // Requests are done in the order in which they came, and what is said behind them comes behind them.
  const { inTurn, turnOf } = createTurns();
  const refuse = (asked: Asked, error: AppError) => parley.say(writeRefusal(tree.clientId, asked, error));

  return async (packet) => {
    const topic = readTopic(packet.topic);
    if (topic?.kind === "channel") {
      const read = readMessage(packet);
      const take = (behind?: Promise<void>) => takeMessage(device, topic.id, { read, packet, behind });
      return waitsForMembers(read) ? inTurn(requests, () => take()) : take(turnOf(requests));
    }
    const asked = askedBy(packet);
    if (topic === undefined) return refuse(asked, nothingThere(packet.topic));
    const work =
      topic.kind === "status" ? () => status.take(topic.id, packet) : () => takeRequest(device, topic.verb, packet);
    await inTurn(requests, () => work().catch((error) => refuse(asked, refusalOf(error))));
  };
}

/** Searches are always answered. */
async function takeRequest(device: Device, verb: string, { payload, dup }: Published): Promise<void> {
  if (!isVerb(verb)) throw noSuchVerb(verb);
  const request = readRequest(verb, payload);
  const done = await works[verb](device, request as never, dup);
  if (!request.want_reply && done.query_result === undefined) return;
  await device.parley.say(writeDone(device.tree.clientId, { req_id: request.req_id, type: verb }, done));
}

/** What failed is no refusal: it is thrown again. */
function refusalOf(error: unknown): AppError {
  const refused = AppError.from(error);
  if (refused.code === "internal" || isSessionEnd(refused)) throw error;
  return refused;
}

function nothingThere(topic: string): AppError {
  return new AppError("not_found", `nothing is published on ${topic.slice(0, 64)}: ${topics}`);
}

/** `payload`: as much of it as there is. */
export function askedBy({ topic, payload }: Pick<Published, "topic" | "payload">): Asked {
  const read = readTopic(topic);
  if (read?.kind === "channel") return { type: messageType, ch_id: read.id };
  const type = read?.kind === "request" ? read.verb : (read?.kind ?? topic);
  return { req_id: requestIdIn(payload), type: type.slice(0, 64) };
}
