// An edge's link to auth-webhook, as tests use it.
import { once } from "node:events";
import { request } from "node:http";
import type { Socket } from "node:net";
import { HookLines, type HookLinkAnswer, hookLink, readHookAnswer, writeHookQuestion } from "@parley/protocol";
import type { TestContext } from "@parley/testkit";

export type LinkReply = Omit<HookLinkAnswer, "id">;

export interface TestLink {
  socket: Socket;
  ask(hook: string, body: object): Promise<LinkReply>;
  /** auth-webhook said that it ends */
  ended: Promise<void>;
}

/** Rejects with the status where it is refused. */
export async function openLink(t: TestContext, url: string, secret: string, path: string = hookLink.path) {
  const headers = { authorization: `Bearer ${secret}`, connection: "Upgrade", upgrade: hookLink.upgrade };
  const dialling = request(`${url}${path}`, { agent: false, headers });
  dialling.end();
  const refused = once(dialling, "response").then(([{ statusCode }]) => {
    throw new Error(`status ${statusCode}`);
  });
  const [, socket] = (await Promise.race([once(dialling, "upgrade"), refused])) as [unknown, Socket];
  t.after(() => socket.destroy());
  return speak(socket);
}

function speak(socket: Socket): TestLink {
  const asked = new Map<number, (reply: LinkReply) => void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const lines = new HookLines();
  let isOver = false;

  function take(line: string): void {
    const answer = readHookAnswer(line);
    if (answer === "ends") {
      isOver = true;
      end();
    } else if (answer !== undefined) {
      asked.get(answer.id)?.({ body: answer.body, maxAgeSeconds: answer.maxAgeSeconds });
      asked.delete(answer.id);
    }
    if (isOver && asked.size === 0) socket.end();
  }

  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    for (const line of lines.push(chunk) ?? []) take(line);
  });
  let lastId = 0;
  return {
    socket,
    ended,
    ask(hook, body) {
      const id = ++lastId;
      socket.write(writeHookQuestion(id, hook, body));
      return new Promise((resolve) => asked.set(id, resolve));
    },
  };
}
