// The links of edges (packages/protocol/src/hook-link.ts): each question is answered by itself, as soon as it is decided.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  HookLines,
  type HookQuestion,
  hookLink,
  hookLinkEnds,
  readHookQuestion,
  writeHookAnswer,
} from "@parley/protocol";
import { type Logger, secretCheck } from "@parley/runtime";
import { answerHook, own } from "./answer.ts";
import type { Decisions } from "./decisions.ts";
import { vernemqDeny, vernemqHooks } from "./vernemq.ts";

export interface Links {
  /** Takes what node:http tells of as an upgrade. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Nothing more is to be asked: each link is closed by its edge once that has all its answers. */
  end(): void;
  close(): void;
}

interface Parts {
  hookSecret: string;
  decisions: Decisions;
  log: Logger;
}

export function openLinks({ hookSecret, decisions, log }: Parts): Links {
  const isSecret = secretCheck(hookSecret);
  const open = new Set<Duplex>();
  let ending = false;

  function refuse(socket: Duplex, status: string): void {
    socket.on("error", () => socket.destroy());
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  }

  return {
    take({ url, method, headers }, socket, head) {
      const isLink = method === "GET" && url === hookLink.path && headers.upgrade === hookLink.upgrade;
      if (!isLink) return refuse(socket, "404 Not Found");
      if (!isSecret(/^Bearer (.*)$/i.exec(headers.authorization ?? "")?.[1] ?? "")) {
        decisions.malformed("link", "wrong or missing secret");
        return refuse(socket, "403 Forbidden");
      }
      if (ending) return refuse(socket, "503 Service Unavailable");
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${hookLink.upgrade}\r\n\r\n`);
      serve(socket, head, { decisions, log });
    },
    end() {
      ending = true;
      for (const socket of open) socket.write(hookLinkEnds);
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** Answers that are ready in one turn leave in one write. */
function serve(socket: Duplex, head: Buffer, { decisions, log }: Omit<Parts, "hookSecret">): void {
  const lines = new HookLines();
  let answers = "";

  function say(line: string): void {
    if (answers === "") setImmediate(send);
    answers += line;
  }

  function send(): void {
    // An edge that does not read its answers is read no further.
    if (socket.writable && !socket.write(answers)) socket.pause().once("drain", () => socket.resume());
    answers = "";
  }

  function take(chunk: Buffer): void {
    const questions = lines.push(chunk)?.map(readHookQuestion);
    if (questions === undefined || questions.includes(undefined)) {
      decisions.malformed("link", "a line is no question");
      socket.destroy();
      return;
    }
    for (const question of questions as HookQuestion[]) void answer(question);
  }

  async function answer({ id, hook, body }: HookQuestion): Promise<void> {
    const handler = own(vernemqHooks, hook);
    const asked = handler && ((one: typeof body) => handler(one, decisions, "edge"));
    try {
      const reply = await answerHook({ hook, body, answer: asked, deny: vernemqDeny }, decisions);
      say(writeHookAnswer(id, reply.maxAge, reply.body));
    } catch (err) {
      log.error({ event: "hook_failed", hook, err });
      say(writeHookAnswer(id, 0, vernemqDeny.body));
    }
  }

  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.on("data", take);
  if (head.length > 0) take(head);
}
