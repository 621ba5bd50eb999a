// Two apis on one store, one NATS and one Redis.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { openBlobs, openStore } from "@parley/store";
import { eventually, hasMongo, testMongo } from "@parley/testkit";
import { addPieces, createUpload } from "../src/files/resumable/uploads.ts";
import { openApiStore } from "../src/store.ts";
import { password, startTestApi, type TestApi } from "./surroundings.ts";

if (hasMongo()) {
  const mongo = await testMongo({ after });
  const env = { STORE_URL: mongo?.url ?? "" };
  const one = await startTestApi({ after }, env);
  const other = await startTestApi({ after }, env, one);
  const both = [one, other] as const;
  const whoAmI = async (api: TestApi, token: string) => (await api.call("GET", "/rooms/none", { token })).status;

  test("who logged in at one replica is known to the other, and who logged out at one is refused by the other", async () => {
    const { token } = await one.user("alice", "phone");
    assert.equal(await whoAmI(other, token), 404);
    assert.equal((await one.call("POST", "/logout", { token })).status, 200);
    assert.equal(await whoAmI(other, token), 401);
    const again = await other.logIn("alice", "phone");
    for (const api of both) assert.equal(await whoAmI(api, again.token), 404, "a token made after it is good");
  });

  test("of two who take one name at two replicas at once, exactly one gets it", async () => {
    for (let round = 0; round < 8; round++) {
      const replies = await Promise.all(
        both.map((api, n) =>
          api.call("POST", "/register", { json: { username: `name${round}`, password: `pass word ${n}` } }),
        ),
      );
      assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409]);
    }
  });

  test("of two logins that take one alias, or one account, at two replicas at once, exactly one gets it", async () => {
    const [una, vic] = [await one.user("una", "web"), await one.user("vic", "web")];
    await one.user("theirs", "web");
    const atOnce = async (path: string, json: object) => {
      const ask = (api: TestApi, token: string) => api.call("POST", path, { token, json });
      return (await Promise.all([ask(one, una.token), ask(other, vic.token)])).map(({ status }) => status).sort();
    };
    for (let round = 0; round < 6; round++) {
      assert.deepEqual(await atOnce("/aliases", { alias: `alias${round}` }), [200, 409]);
      assert.deepEqual(await atOnce("/accounts", { uid: `account${round}` }), [200, 409]);
    }
    const statuses = await atOnce("/accounts", { uid: "theirs", password });
    assert.ok(statuses[0] === 200 && statuses[1] !== 200, statuses.join(" "));
    const accountsOf = async ({ token }: { token: string }): Promise<{ uid: string }[]> =>
      (await other.call("GET", "/accounts", { token })).body.accounts;
    const all = [...(await accountsOf(una)), ...(await accountsOf(vic))].map(({ uid }) => uid);
    assert.equal(all.length, new Set(all).size);
    assert.equal(all.length, 2 + 6 + 1);
  });

  test("a request sent to two replicas at once is done once, and answered alike", async () => {
    for (let round = 0; round < 5; round++) {
      const headers = { "idempotency-key": `twice${round}` };
      const json = { username: `twice${round}`, password };
      const replies = await Promise.all(both.map((api) => api.call("POST", "/register", { json, headers })));
      assert.deepEqual(
        replies.map(({ status, body }) => [status, body]),
        both.map(() => [200, { uid: `twice${round}` }]),
      );
    }
    const { token } = await one.logIn("twice0");
    const change = { json: { password, newPassword: "another good one" }, token, headers: { "idempotency-key": "pw" } };
    const replies = await Promise.all(both.map((api) => api.call("POST", "/password", change)));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200],
    );
  });

  test("a refresh token shown to two replicas at once is answered with the same successor by both", async () => {
    for (let round = 0; round < 5; round++) {
      const { refreshToken } = await one.user(`rose${round}`, "phone");
      const replies = await Promise.all(both.map((api) => api.call("POST", "/refresh", { json: { refreshToken } })));
      assert.deepEqual(
        replies.map(({ status }) => status),
        [200, 200],
      );
      const [session, same] = replies.map(({ body }) => body as { token: string; refreshToken: string });
      assert.equal(session?.refreshToken, same?.refreshToken);
      for (const answered of [session, same])
        for (const api of both) assert.equal(await whoAmI(api, answered?.token ?? ""), 404);
    }
  });

  test("of logins that one replica is checking while the password is changed at the other, no session outlives the change", async () => {
    const { token } = await one.user("ruth", "web");
    const logIn = (device: string) => other.call("POST", "/login", { json: { username: "ruth", password, device } });
    const logins = Array.from({ length: 8 }, (_, n) => logIn(`d${n}`));
    const json = { password, newPassword: "a new password" };
    assert.equal((await one.call("POST", "/password", { token, json })).status, 200);
    for (const { status, body } of await Promise.all(logins)) {
      if (status !== 200) continue;
      const session = body as { token: string; refreshToken: string };
      await eventually(async () => (await whoAmI(other, session.token)) === 401);
      const refreshed = await other.call("POST", "/refresh", { json: { refreshToken: session.refreshToken } });
      assert.equal(refreshed.status, 401);
    }
  });

  test("a server key made at one replica works at the other until it is removed", async () => {
    const token = one.secrets.servicesSecret;
    const { body } = await one.call("POST", "/keys", { token, json: { name: "app" } });
    const { id, key } = body as { id: string; key: string };
    const make = (uid: string) => other.call("POST", "/users", { token: key, json: { uid } });
    assert.equal((await make("made1")).status, 200);
    assert.equal((await one.call("DELETE", `/keys/${id}`, { token })).status, 200);
    assert.equal((await make("made2")).status, 401);
  });

  test("a removal sent to two replicas at once succeeds at both: one does it, the other answers what that one answered", async () => {
    const token = one.secrets.servicesSecret;
    for (let round = 0; round < 8; round++) {
      const { body } = await one.call("POST", "/keys", { token, json: { name: "app" } });
      const removing = { token, headers: { "idempotency-key": `remove${round}` } };
      const path = `/keys/${(body as { id: string }).id}`;
      const removed = await Promise.all(both.map((api) => api.call("DELETE", path, removing)));
      assert.deepEqual(
        removed.map(({ status }) => status),
        [200, 200],
      );
    }
  });

  test("failed logins are counted together", async () => {
    await one.user("carol");
    const json = { username: "carol", password: "a wrong password" };
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await both[n % 2]!.call("POST", "/login", { json })).status);
    assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429]);
  });

  test("what one replica revoked while the other did not hear NATS is refused by both when NATS is back", async () => {
    const [{ token }, dora] = [await one.user("dave", "phone"), await other.user("dora", "phone")];
    const third = await openStore(env.STORE_URL, { service: "api" });
    after(() => third.close());
    const { revocations } = await openApiStore(third.documents());
    await one.natsServer.kill();
    assert.equal((await one.call("POST", "/logout", { token })).status, 200);
    assert.equal(await whoAmI(one, token), 401);
    // Of a replica that told of it when nobody heard, and is gone.
    const before = Date.now() / 1000 + 1;
    const told = { uid: "dora", clientId: "dora:phone", before, until: before + 3600, announced: true };
    await revocations.put([{ key: "dora dora:phone", doc: told }]);
    await one.natsServer.start();
    await eventually(async () => (await whoAmI(other, token)) === 401);
    for (const api of both) await eventually(async () => (await whoAmI(api, dora.token)) === 401);
  });

  test("an upload begun at one replica goes on at the other; parts that both take at once are not mixed", async () => {
    const { token } = await one.user("erin");
    const version = { "tus-resumable": "1.0.0" };
    const bytes = randomBytes(300_000);
    const headers = { ...version, "upload-length": String(bytes.length) };
    const at = (await one.call("POST", "/attachments/uploads", { token, headers })).headers.get("location")!;
    const append = (api: TestApi, offset: number, raw: Uint8Array<ArrayBuffer>) => {
      const more = { "upload-offset": String(offset), "content-type": "application/offset+octet-stream" };
      return api.call("PATCH", at, { token, raw, headers: { ...version, ...more } });
    };
    const parts = [bytes.subarray(0, 100_000), bytes.subarray(0, 120_000)];
    const answers = await Promise.all(both.map((api, n) => append(api, 0, parts[n]!)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 409]);
    const offset = Number(answers.find(({ status }) => status === 204)?.headers.get("upload-offset"));
    assert.equal((await append(other, offset, bytes.subarray(offset))).status, 204);
    const { body } = await one.call("GET", at, { token });
    assert.equal(body.hash, `sha256:${createHash("sha256").update(bytes).digest("hex")}`);
    assert.deepEqual((await other.call("GET", at, { token })).body, body);
  });

  test("an upload that two replicas finish at once is one attachment", async () => {
    const { token } = await one.user("finn");
    const third = await openStore(env.STORE_URL, { service: "api" });
    const blobs = await openBlobs({ service: "api", storeUrl: env.STORE_URL });
    after(() => Promise.all([third.close(), blobs.close()]));
    const store = await openApiStore(third.documents());
    for (let round = 0; round < 5; round++) {
      const bytes = randomBytes(200_000);
      const begun = await createUpload(store, { uid: "finn", name: "a", size: bytes.length, metadata: "" });
      const { id, size } = await blobs.put(Readable.from([bytes]));
      await addPieces({ store, blobs }, begun, [{ blob: id, size }]);
      const at = `/attachments/uploads/${begun.key}`;
      const answers = await Promise.all(both.map((api) => api.call("GET", at, { token })));
      assert.deepEqual(answers[0]!.body, answers[1]!.body);
      assert.equal(answers[0]!.body.id, begun.key);
      const stream = await blobs.open((await store.attachments.get(begun.key))!.doc.blob);
      assert.deepEqual(Buffer.concat(await stream!.toArray()), bytes);
      assert.equal(await blobs.open(id), undefined);
    }
  });
} else {
  test("two apis on one store", { skip: "NO MONGODB HERE: replicas of api are not tested" }, () => {});
}
