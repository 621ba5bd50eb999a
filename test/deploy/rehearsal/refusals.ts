// What NATS refuses a user: each subject is tried, and its server's refusal waited for.
import { natsAddress } from "@parley/runtime";
import { connect, PermissionViolationError } from "nats";

/** Those of the subjects that the user of the URL may not publish to, or subscribe. Rejects where it is not let in. */
export async function refusalsOver(
  url: string,
  { publish = [], subscribe = [] }: { publish?: readonly string[]; subscribe?: readonly string[] },
): Promise<string[]> {
  const nats = await connect({ ...natsAddress(url), reconnect: false, timeout: 5_000 });
  const refused = new Set<string>();
  const watching = (async () => {
    for await (const status of nats.status())
      if (status.type === "error" && status.error instanceof PermissionViolationError)
        refused.add(status.error.subject);
  })();
  for (const subject of publish) nats.publish(subject, "");
  for (const subject of subscribe) nats.subscribe(subject, { callback: () => {} });
  // The server answers in order: behind this answer there is no refusal of what went before.
  await nats.flush();
  await nats.close();
  await watching;
  return [...publish, ...subscribe].filter((subject) => refused.has(subject));
}
