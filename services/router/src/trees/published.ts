// What a router received, as a dialect reads it.
import type { Published, PublishedProperties } from "@parley/protocol/dialects";
import type { ReceivedPacket } from "@parley/runtime";

/** `topic` as the device wrote it. */
export function publishedOf({ payload, dup, properties }: ReceivedPacket, topic: string, will?: true): Published {
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  const pairs: PublishedProperties["userProperties"] = Object.entries(userProperties ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  );
  return {
    topic,
    payload,
    dup,
    ...(will ? { will } : {}),
    properties: {
      ...(contentType === undefined ? {} : { contentType }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData }),
      ...(pairs.length === 0 ? {} : { userProperties: pairs }),
    },
  };
}
