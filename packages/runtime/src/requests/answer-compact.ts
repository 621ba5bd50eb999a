// A service's store without what was erased, on request: only the process that has it open can do that.
import { compactSubject } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import { type Answering, answerJson } from "./request.ts";

export function answerCompact(
  nats: NatsConnection,
  { service, compact, log }: { service: string; compact(): Promise<void>; log: Logger },
): Answering {
  return answerJson<object>(
    nats,
    compactSubject(service),
    service,
    async () => {
      await compact();
      return {};
    },
    log,
  );
}
