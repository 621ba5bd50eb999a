import assert from "node:assert/strict";
import { test } from "node:test";
import { type Documents, StoreError } from "@parley/store";
import { openSettings } from "./settings.ts";

test("settings that the store cannot read now are unavailable: what waits for them is no dead letter", async () => {
  const away = async () => {
    throw new StoreError("unavailable", "no answer");
  };
  const documents = { collection: async () => ({ getMany: away }) } as unknown as Documents;
  const settings = await openSettings(documents, () => undefined);
  await assert.rejects(settings.ofUsers(["ann"]), { code: "unavailable" });
});
