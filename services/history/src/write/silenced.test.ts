import assert from "node:assert/strict";
import { test } from "node:test";
import type { Door } from "@parley/protocol";
import { createSilenced } from "./silenced.ts";

const disabled = (owner: string, version = 1): Door => ({ owner, version, account: "disabled" });

/** A store whose pages are answered, or refused, when the test says so. */
function begin() {
  const waiting: PromiseWithResolvers<readonly Door[]>[] = [];
  const doors = {
    async find() {
      const page = Promise.withResolvers<readonly Door[]>();
      waiting.push(page);
      return { items: (await page.promise).map((doc) => ({ key: doc.owner, version: 1, doc })), next: null };
    },
  };
  const silenced = createSilenced({ doors } as never);
  const load = (answer: (page: PromiseWithResolvers<readonly Door[]>) => void) => {
    const loaded = silenced.load();
    answer(waiting.at(-1)!);
    return loaded;
  };
  const refused = (...uids: string[]) => uids.filter((uid) => silenced.refuse(uid) !== undefined);
  return { silenced, waiting, load, refused };
}

test("who was known to be disabled stays so while the store is read again, and when that fails", async () => {
  const { silenced, waiting, load, refused } = begin();
  await load((page) => page.resolve([disabled("ann")]));
  const again = silenced.load();
  assert.deepEqual(refused("ann"), ["ann"]);
  waiting.at(-1)!.reject(new Error("away"));
  await assert.rejects(again);
  assert.deepEqual(refused("ann"), ["ann"]);
});

test("what is told while the store is read outlives what the store said before, and who is no longer there is forgotten", async () => {
  const { silenced, waiting, load, refused } = begin();
  await load((page) => page.resolve([disabled("ann"), disabled("bob"), disabled("cy")]));
  const again = silenced.load();
  silenced.take([{ owner: "ann", version: 2, account: "open" }, disabled("dan", 2)]);
  waiting.at(-1)!.resolve([disabled("ann"), disabled("cy")]);
  await again;
  assert.deepEqual(refused("ann", "bob", "cy", "dan"), ["cy", "dan"]);
});
