// Api and presence, as far as tokens ask them, on a NATS of the test's own.
import {
  type ConnectionCredential,
  type LoginsReply,
  type Revocation,
  subjects,
  type UnchangedRequest,
} from "@parley/protocol";
import { answerJson, connectNats, type NatsConnection } from "@parley/runtime";
import { serviceContext, startServers, type TestContext, type TestServer } from "@parley/testkit";

export interface Others {
  nats: NatsConnection;
  natsServer: TestServer;
  /** who is a user */
  users: Set<string>;
  /** uid → its logins, as api answers */
  logins: Map<string, LoginsReply["logins"]>;
  /** client id → what presence knows */
  connections: Map<string, ConnectionCredential>;
  /** uid → since when it has its password */
  passwords: Map<string, number>;
  /** what api answers to who may have missed some; `away`: it does not answer */
  revocations: Revocation[] | "away";
  /** api keeps it, and tells everybody */
  revoke(revocation: Omit<Revocation, "until">): Promise<void>;
}

const hourMs = 3_600_000;

export async function startOthers(t: TestContext): Promise<Others> {
  const { nats: natsServer } = await startServers(t, { nats: true });
  const { log } = serviceContext("test");
  const nats = await connectNats({ url: natsServer.url, name: "test", log });
  t.after(() => nats.close());
  const others: Others = {
    nats,
    natsServer,
    users: new Set(["ann", "bob"]),
    logins: new Map(),
    connections: new Map(),
    passwords: new Map(),
    revocations: [],
    async revoke(told) {
      const revocation = { ...told, until: Date.now() / 1000 + hourMs };
      if (others.revocations !== "away") others.revocations.push(revocation);
      nats.publish(subjects.revoked, JSON.stringify(revocation));
      await nats.flush();
    },
  };
  const answer = <Asked>(subject: string, work: (asked: Asked) => object | undefined) =>
    answerJson<Asked>(nats, subject, "played", (asked) => work(asked) ?? new Promise<never>(() => {}), log);
  answer<{ uid: string }>(subjects.userExists, ({ uid }) => ({ exists: others.users.has(uid) }));
  answer<{ uid: string }>(subjects.logins, ({ uid }) => ({ logins: others.logins.get(uid) ?? [] }));
  answer<{ clientId: string }>(subjects.connectionCredential, ({ clientId }) => others.connections.get(clientId) ?? {});
  answer<UnchangedRequest>(subjects.passwordUnchanged, ({ username, passwordSince }) => ({
    ok: others.passwords.get(username) === passwordSince,
  }));
  answer(subjects.revocations, () =>
    others.revocations === "away" ? undefined : { revocations: others.revocations, next: null },
  );
  await nats.flush();
  return others;
}
