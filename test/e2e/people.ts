// Accounts and clients of end-to-end tests.
import {
  type ClientOptions,
  callHttp,
  connectParley,
  type Listeners,
  type Message,
  type ParleyClient,
} from "@parley/client";
import { register } from "@parley/protocol";
import type { Cluster, TestContext } from "@parley/testkit";

export const password = "correct horse battery";

/** Makes the accounts that do not exist yet. */
export async function registerAll(cluster: Cluster, ...uids: string[]): Promise<void> {
  for (const username of uids)
    await callHttp(cluster.run().http, register, { username, password }).catch((error) => {
      if (error.code !== "conflict") throw error;
    });
}

/** A connected SDK client that remembers what it was shown; closed when the test ends. */
export async function connectAs(
  t: TestContext,
  cluster: Cluster,
  uid: string,
  options: Partial<ClientOptions> & { listeners?: Listeners } = {},
): Promise<{ client: ParleyClient; shown: Message[]; texts(): unknown[] }> {
  const { listeners, ...rest } = options;
  const shown: Message[] = [];
  const client = await connectParley(
    { url: cluster.run().http, username: uid, password, device: "sdk", ...rest },
    {
      ...listeners,
      message(message) {
        shown.push(message);
        listeners?.message?.(message);
      },
    },
  );
  t.after(() => client.close());
  return { client, shown, texts: () => shown.map(({ content }) => (content as { data?: unknown }).data) };
}
