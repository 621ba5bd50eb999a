// Messages that are sent later, by their methods and at their time.
import {
  messagesReschedule,
  messagesSchedule,
  messagesScheduled,
  messagesUnschedule,
  type NotifyRequest,
  subjects,
} from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";
import { type Bound, bind } from "../call.ts";
import { reschedule, schedule, unschedule } from "./change.ts";
import { listScheduled } from "./list.ts";
import type { ScheduledParts } from "./parts.ts";
import { startSending } from "./send.ts";

/** Sends what was scheduled, at its time, until it is closed. */
export function startScheduled({ nats, ...given }: Omit<ScheduledParts, "tell"> & { nats: NatsConnection }): {
  methods: Bound[];
  close(): Promise<void>;
} {
  const tell: ScheduledParts["tell"] = (uid, packet) => {
    const request: NotifyRequest = { uids: [uid], channel: "m", packet };
    if (natsConnected(nats)) nats.publish(subjects.notify, JSON.stringify(request));
  };
  const parts: ScheduledParts = { ...given, tell };
  const sending = startSending(parts);
  return {
    methods: [
      bind(messagesSchedule, (params, call) => schedule(parts, params, call)),
      bind(messagesScheduled, ({ page }, { caller }) => listScheduled(parts.store, page, caller)),
      bind(messagesReschedule, (params, call) => reschedule(parts, params, call)),
      bind(messagesUnschedule, ({ id }, { caller }) => unschedule(parts, id, caller.uid)),
    ],
    close: () => sending.close(),
  };
}
