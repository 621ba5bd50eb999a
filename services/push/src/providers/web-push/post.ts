// Posts to a push service: only to an address that has been judged, without following it elsewhere, its answer bounded.
import type { LookupAddress } from "node:dns";
import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import type { LookupFunction } from "node:net";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import type { Guard } from "@parley/runtime";
import { type Answer, EndpointError } from "./outcome.ts";

export interface Post {
  url: URL;
  headers: Record<string, string | number>;
  body: Buffer;
  signal: AbortSignal;
}

export interface PostOptions {
  guard: Guard;
  ca?: string | undefined;
  deadlineMs: number;
}

const answerBytes = 1024;
const answerMs = 1_000;
const idleMs = 5_000;

export function openPost({ guard, ca, deadlineMs }: PostOptions) {
  const agent = openAgent({ guard, ca, deadlineMs });
  return {
    /** Rejects where no status was heard. `text`: the beginning of what is said beside it. */
    async post({ url, headers, body, signal }: Post): Promise<{ answer: Answer; text: Promise<string> }> {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request(url, { method: "POST", headers, agent, signal });
        asked.once("response", resolve).on("error", reject);
        asked.end(body);
      });
      const { statusCode: status = 0, headers: answered } = response;
      const answer = { status, retryAfter: answered["retry-after"], location: answered.location };
      return { answer, text: readBeginning(response) };
    },
    close: () => agent.destroy(),
  };
}

/** Each connection is to an address as it was judged; names are looked up once for it. */
function openAgent({ guard, ca, deadlineMs }: PostOptions): Agent {
  const agent = new Agent({
    keepAlive: true,
    timeout: idleMs,
    ...(ca !== undefined && { secureContext: trusting(ca) }),
  });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, connected) => {
    const { host, port } = options as RequestOptions;
    const url = new URL(`https://${host?.includes(":") ? `[${host}]` : host}:${port}`);
    const judge = async () => {
      const addresses = await guard.addressesOf(url, AbortSignal.timeout(deadlineMs));
      if (typeof addresses === "string") throw new EndpointError(addresses);
      return connect({ ...options, lookup: lookUpAs(addresses) });
    };
    judge().then(
      (socket) => connected?.(null, socket as Parameters<NonNullable<typeof connected>>[1]),
      (error: Error) => connected?.(error, undefined as never),
    );
    return undefined;
  };
  return agent;
}

/** Whom Node trusts, and these. */
function trusting(ca: string): SecureContext {
  return createSecureContext({ ca: [...rootCertificates, ca] });
}

function lookUpAs(addresses: LookupAddress[]): LookupFunction {
  return (_host, { all }, found) => {
    const [{ address, family }] = addresses as [LookupAddress];
    if (all) found(null, addresses);
    else found(null, address, family);
  };
}

/** Never rejects: what comes within a second is enough to say why. */
function readBeginning(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).subarray(0, answerBytes).toString());
    };
    const timer = setTimeout(() => response.destroy(), answerMs);
    response
      .on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > answerBytes) response.destroy();
      })
      .on("error", () => undefined)
      .on("close", end);
  });
}
