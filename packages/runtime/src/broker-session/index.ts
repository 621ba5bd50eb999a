// The broker session: what the rest of the package may import from this folder.
export type {
  BrokerSession,
  BrokerSessionOptions,
  BrokerSessionState,
  BrokerSessionStats,
  PublishProperties,
  ReceivedPacket,
  ReceivedProperties,
  Subscription,
} from "./options.ts";
export { startBrokerSession } from "./session.ts";
