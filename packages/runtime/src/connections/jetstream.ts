// Streams and consumers of JetStream, made where they are missing.
import type { ConsumerConfig, ConsumerInfo, JetStreamManager, StreamConfig } from "@nats-io/jetstream";

/** One that exists is left as it is; one that is missing is made, at once by several replicas too. */
export async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & Pick<StreamConfig, "name">,
): Promise<void> {
  const { name } = config;
  const existing = await manager.streams.info(name).catch(unlessNotFound("stream"));
  if (existing) return;
  await manager.streams.add(config).catch(async (error: unknown) => {
    // Of two replicas that make it at the same moment one is told that it exists.
    if (!(await manager.streams.info(name).catch(() => undefined))) throw error;
  });
}

/** Of a durable consumer that exists `changeable` is set anew; one that is missing is made with it and what `make` says. */
export async function ensureConsumer(
  manager: JetStreamManager,
  stream: string,
  durable: string,
  changeable: Partial<ConsumerConfig>,
  make: () => Promise<Partial<ConsumerConfig>> | Partial<ConsumerConfig>,
): Promise<ConsumerInfo> {
  const existing = await manager.consumers.update(stream, durable, changeable).catch(unlessNotFound("consumer"));
  if (existing) return existing;
  const config = { ...changeable, durable_name: durable, ...(await make()) };
  // Of two replicas that make it at the same moment one is told that it exists.
  return manager.consumers.add(stream, config).catch(() => manager.consumers.info(stream, durable));
}

function unlessNotFound(what: "stream" | "consumer") {
  return (error: unknown): undefined => {
    if (!String(error).toLowerCase().includes(`${what} not found`)) throw error;
  };
}
