// Tells other services who has read on, so that notifications elsewhere follow: gathered for a moment, as people read many messages in a row.
import { type ReadOn, subjects } from "@parley/protocol";
import type { NatsConnection } from "@parley/runtime";

type Read = ReadOn["reads"][number];

export interface TellsReadOn {
  /** The user's read mark is stored now. */
  note(read: Read): void;
  close(): void;
}

const gatherMs = 200;
/** About 100 KiB. */
const gatheredMost = 500;

export function createReadOn(nats: Pick<NatsConnection, "publish">): TellsReadOn {
  /** the latest of each user and conversation */
  let gathered = new Map<string, Read>();
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered.size === 0) return;
    const told: ReadOn = { reads: [...gathered.values()] };
    gathered = new Map();
    nats.publish(subjects.readOn, JSON.stringify(told));
  }

  return {
    note(read) {
      gathered.set(`${read.conv} ${read.uid}`, read);
      if (gathered.size >= gatheredMost) return tell();
      timer ??= setTimeout(tell, gatherMs);
    },
    close: tell,
  };
}
