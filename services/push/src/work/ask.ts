// What a batch of jobs needs to know of the other services, each asked once for all of them.
import {
  type PushPeopleReply,
  type PushPeopleRequest,
  type PushStateReply,
  type PushStateRequest,
  pushAskedMax,
  type SignedThumbnailsReply,
  type SignedThumbnailsRequest,
  subjects,
} from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";

const timeoutMs = 5_000;

/** Each throws `unavailable` when the service does not answer. */
export interface Ask {
  states(asked: PushStateRequest["asked"]): Promise<PushStateReply>;
  people(asked: PushPeopleRequest["asked"]): Promise<PushPeopleReply["people"]>;
  thumbnails(asked: SignedThumbnailsRequest["asked"]): Promise<SignedThumbnailsReply["urls"]>;
}

export function createAsk(nats: NatsConnection): Ask {
  const ask = <Reply>(subject: string, asked: unknown) => requestJson<Reply>(nats, subject, { asked }, { timeoutMs });
  return {
    async states(asked) {
      const all: PushStateReply = { states: [], messages: {}, badges: {}, rooms: {} };
      while (all.states.length < asked.length) {
        const some = asked.slice(all.states.length, all.states.length + pushAskedMax);
        const { states, messages, badges, rooms } = await ask<PushStateReply>(subjects.pushState, some);
        if (states.length === 0) throw new Error("history answered nothing of what push asked");
        for (const state of states) all.states.push(state);
        Object.assign(all.messages, messages);
        Object.assign(all.badges, badges);
        Object.assign(all.rooms, rooms);
      }
      return all;
    },
    async people(asked) {
      const parts = await Promise.all(
        inParts(asked).map((some) => ask<PushPeopleReply>(subjects.pushPeople, some).then(({ people }) => people)),
      );
      return parts.flat();
    },
    async thumbnails(asked) {
      const parts = await Promise.all(
        inParts(asked).map((some) =>
          ask<SignedThumbnailsReply>(subjects.signedThumbnails, some).then(({ urls }) => urls),
        ),
      );
      return parts.flat();
    },
  };
}

function inParts<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += pushAskedMax) parts.push(all.slice(at, at + pushAskedMax));
  return parts;
}
