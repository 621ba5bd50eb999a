// A server that plays auth-webhook on its link: each question is answered as it is told.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { HookLines, hookLink, hookLinkEnds, readHookQuestion, writeHookAnswer } from "@parley/protocol";

// biome-ignore lint/suspicious/noExplicitAny: what the edge sends is what the tests look at
export type Body = Record<string, any>;

export interface HookAnswer {
  maxAgeSeconds?: number;
  /** an object is sent as JSON, a string as it is */
  body: object | string;
}

export interface PlayedHooks {
  port: number;
  /** how many links were opened so far */
  links(): number;
  /** Says on every link that no more is to be asked there, as a replica does that is about to end. */
  end(): void;
  stop(): Promise<void>;
}

/** On any free port, unless one is given. */
export async function playHooks(
  answer: (hook: string, body: Body) => HookAnswer | Promise<HookAnswer>,
  { port = 0, secret }: { port?: number; secret?: string } = {},
): Promise<PlayedHooks> {
  const links = new Set<Duplex>();
  let opened = 0;

  async function take(link: Duplex, line: string): Promise<void> {
    const question = readHookQuestion(line);
    if (question === undefined) throw new Error(`no question: ${line}`);
    const { body, maxAgeSeconds = 0 } = await answer(question.hook, question.body);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    link.write(writeHookAnswer(question.id, maxAgeSeconds, text));
  }

  const server = createServer((_, response) => void response.writeHead(404).end());
  server.on("upgrade", ({ url, headers }, link: Duplex) => {
    link.on("error", () => link.destroy()).on("close", () => links.delete(link));
    // One that was on its way when the server ended would be waited for.
    if (!server.listening) return link.destroy();
    const isEdge = secret === undefined || headers.authorization === `Bearer ${secret}`;
    if (url !== hookLink.path || !isEdge) return link.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    opened += 1;
    links.add(link);
    const lines = new HookLines();
    link.on("end", () => link.end());
    link.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk) ?? []) void take(link, line);
    });
    return link.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${hookLink.upgrade}\r\n\r\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    links: () => opened,
    end() {
      for (const link of links) link.write(hookLinkEnds);
    },
    async stop() {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const link of links) link.destroy();
      await closed;
    },
  };
}
