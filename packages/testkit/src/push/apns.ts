// A local APNs for tests and figures: HTTP/2 over TLS as Apple speaks it, its rules, and its bad days on demand.
// Pushy's mock server, a Java program, is not used: it answers 500 to every token that is signed as RFC 7518 says, so it
// could serve certificates alone, and those are served here too.
import { X509Certificate } from "node:crypto";
import {
  constants,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { TLSSocket } from "node:tls";
import type { TestContext } from "../testing/start-servers.ts";
import { type ApnsReply, reply } from "./apns-reply.ts";
import { judgeRequest, tokenOf } from "./apns-rules.ts";
import { makeCertificate, makeKey, openGate } from "./apns-senders.ts";
import { type AppCertificate, testAuthority } from "./certificates.ts";
import { keyFolder } from "./folder.ts";
import { type Listener, openListener } from "./listener.ts";

/** One request that came whole. */
export interface ApnsRequest {
  token: string | undefined;
  headers: IncomingHttpHeaders;
  payload: unknown;
  /** the n-th, from 1 */
  n: number;
  /** on which connection, counted from 1 */
  connection: number;
}

export interface ApnsOptions {
  /** the apps that may be sent to; `app.parley` unless said. A certificate is for the first. */
  topics?: readonly string[];
  /** senders show this certificate instead of signed tokens */
  certificate?: Omit<AppCertificate, "topic">;
  /** requests are counted and not kept: for figures */
  counts?: boolean;
  /** as Apple: one stream on a new connection until a request with a right token came */
  startsNarrow?: boolean;
  port?: number;
}

export interface Apns extends Listener {
  /** The settings of push with which it sends to this server, both environments. */
  settings: Record<string, string>;
  /** Requests in the order they came. */
  seen: ApnsRequest[];
  count(): number;
  /** How many different signed tokens senders have shown. */
  signedTokens(): number;
  /** HTTP/2 connections that there were so far. */
  opened(): number;
  /** What is said from now on to requests that are in order; undefined is a 200. */
  answer(how: Answer): void;
  /** It closes down its connections: at once; in two steps [RFC 9113 6.8]; or as if it had taken nothing after stream `last`. */
  goAway(how: "at once" | "in two steps" | { last: number }): void;
}

type Answer = (request: ApnsRequest) => ApnsReply | undefined | Promise<ApnsReply | undefined>;

interface Session {
  number: number;
  isNarrow: boolean;
  lastStream: number;
  certified?: string;
}

const streamsMax = 1000;
const greatestStreamId = 2 ** 31 - 1;

export async function startApns(t: TestContext, options: ApnsOptions = {}): Promise<Apns> {
  const { topics = ["app.parley"], certificate } = options;
  const write = await keyFolder(t);
  const { ca, forServer } = await testAuthority();
  const { settings, senders } = certificate
    ? await makeCertificate(write, { topic: topics[0] ?? "", ...certificate })
    : await makeKey(write, topics);
  const server = createSecureServer({
    ...(await forServer(["localhost", "127.0.0.1"])),
    settings: { maxConcurrentStreams: options.startsNarrow ? 1 : streamsMax, enablePush: false },
    ...(certificate && { requestCert: true, rejectUnauthorized: true, ca }),
  });
  const gate = openGate(senders);
  const requests = serve(server, gate, options);
  const listener = await openListener(t, server, options.port);
  const place = { PUSH_APNS_URL: listener.url, PUSH_APNS_SANDBOX_URL: listener.url };
  return {
    ...listener,
    ...requests,
    settings: { ...place, PUSH_APNS_CA_FILE: await write("ca.pem", ca), ...settings },
    signedTokens: gate.tokens,
  };
}

function serve(
  server: ReturnType<typeof createSecureServer>,
  gate: ReturnType<typeof openGate>,
  { startsNarrow = false, counts }: ApnsOptions,
) {
  const sessions = new Map<ServerHttp2Session, Session>();
  const seen: ApnsRequest[] = [];
  let answer: Answer = () => undefined;
  let [opened, n] = [0, 0];

  async function take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer): Promise<void> {
    const session = stream.session as ServerHttp2Session | undefined;
    const about = session && sessions.get(session);
    if (!about) return;
    about.lastStream = Math.max(about.lastStream, stream.id ?? 0);
    const refusal = (await gate.judge(headers, about.certified)) ?? judgeRequest(headers, body);
    if (about.isNarrow && refusal?.status !== 403) {
      about.isNarrow = false;
      session.settings({ maxConcurrentStreams: streamsMax });
    }
    const request = { token: tokenOf(headers[":path"]), headers, payload: body, n: ++n, connection: about.number };
    if (!counts) seen.push({ ...request, payload: parse(body) });
    reply(stream, headers, refusal ?? (await answer(seen.at(-1) ?? request)) ?? { status: 200 });
  }

  server.on("session", (session) => {
    const certified = topicOf(session.socket as TLSSocket);
    sessions.set(session, { number: ++opened, isNarrow: startsNarrow, lastStream: 0, ...(certified && { certified }) });
    session.on("close", () => sessions.delete(session)).on("error", () => undefined);
  });
  server.on("sessionError", () => undefined);
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => void take(stream, headers, Buffer.concat(chunks)));
  });
  return {
    seen,
    count: () => n,
    opened: () => opened,
    answer(how: Answer) {
      answer = how;
    },
    goAway(how: "at once" | "in two steps" | { last: number }) {
      for (const [session, { lastStream }] of sessions) {
        if (how === "in two steps") session.goaway(constants.NGHTTP2_NO_ERROR, greatestStreamId);
        session.goaway(constants.NGHTTP2_NO_ERROR, typeof how === "object" ? how.last : lastStream);
      }
    },
  };
}

/** The app of a client's certificate: UID of its subject. */
function topicOf(socket: TLSSocket): string | undefined {
  const { raw } = socket.getPeerCertificate();
  return raw && /^UID=(.+)$/m.exec(new X509Certificate(raw).subject)?.[1];
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return body.toString();
  }
}
