// Asks history as a router does, for what a device does over MQTT alone.
import { conversationPartitions } from "@parley/protocol/partition";
import { type AskHolder, connectRedis, createAskHolder, type NatsConnection, startHolderLookup } from "@parley/runtime";
import { serviceContext, type TestContext } from "@parley/testkit";

export async function askHolders(
  t: TestContext,
  { nats, redis: { url } }: { nats: NatsConnection; redis: { url: string } },
): Promise<AskHolder> {
  const { log } = serviceContext("test");
  const redis = await connectRedis({ url, name: "test", log });
  const lookup = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  const holders = createAskHolder(nats, lookup);
  t.after(() => {
    holders.close();
    lookup.close();
    redis.disconnect();
  });
  return holders;
}
