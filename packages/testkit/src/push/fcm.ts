// A local FCM for tests and figures: its HTTP v1 API and Google's token endpoint, at one address, with bad days on demand.

import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import type { TestContext } from "../testing/start-servers.ts";
import { testAuthority } from "./certificates.ts";
import { keyFolder } from "./folder.ts";
import { type HttpsReply, readBody, replyHttps } from "./https-reply.ts";
import { type Listener, openListener } from "./listener.ts";
import { openOauth } from "./oauth.ts";

/** One request to send that came whole, with a token that is known. */
export interface FcmRequest {
  token: string | undefined;
  headers: IncomingHttpHeaders;
  /** `message` of its body */
  message: Record<string, unknown>;
  /** the n-th, from 1 */
  n: number;
}

export interface FcmOptions {
  project?: string;
  /** requests are counted and not kept: for figures */
  counts?: boolean;
  port?: number;
}

export interface Fcm extends Listener {
  /** The settings of push with which it sends to this server. */
  settings: Record<string, string>;
  seen: FcmRequest[];
  /** Requests to send, refused ones as well. */
  count(): number;
  /** Requests for an access token. */
  asked(): number;
  /** What is said from now on to messages that are in order; undefined is a 200. */
  answer(how: Answer): void;
  /** What is said from now on to requests for an access token; undefined is a token for who is known. */
  answerOauth(how: () => HttpsReply | undefined): void;
  /** Access tokens that were given are known no more. */
  forgetTokens(): void;
}

type Answer = (request: FcmRequest) => HttpsReply | undefined | Promise<HttpsReply | undefined>;

const type = "type.googleapis.com";

/** An error as FCM writes it: `fcm` is a code of its own (FcmError), `violation` the field that is wrong (BadRequest). */
export function fcmError(
  status: number,
  name: string,
  details: { fcm?: string; violation?: string; headers?: Record<string, string> } = {},
): HttpsReply {
  const { fcm, violation, headers } = details;
  const list = [
    ...(fcm ? [{ "@type": `${type}/google.firebase.fcm.v1.FcmError`, errorCode: fcm }] : []),
    ...(violation
      ? [{ "@type": `${type}/google.rpc.BadRequest`, fieldViolations: [{ field: violation, description: "Invalid" }] }]
      : []),
  ];
  const error = { code: status, message: `It is ${name}.`, status: name, ...(list.length > 0 && { details: list }) };
  return { status, body: { error }, ...(headers && { headers }) };
}

export async function startFcm(t: TestContext, options: FcmOptions = {}): Promise<Fcm> {
  const { project = "parley-test", counts = false } = options;
  const write = await keyFolder(t);
  const { ca, forServer } = await testAuthority();
  const oauth = openOauth(project);
  const seen: FcmRequest[] = [];
  let [n, asked] = [0, 0];
  let answer: Answer = () => undefined;
  let answerOauth: () => HttpsReply | undefined = () => undefined;

  async function send(path: string | undefined, headers: IncomingHttpHeaders, body: Buffer): Promise<HttpsReply> {
    n++;
    if (!oauth.knows(headers.authorization)) return fcmError(401, "UNAUTHENTICATED");
    if (path !== `/v1/projects/${project}/messages:send`) return fcmError(404, "NOT_FOUND");
    const message = readMessage(body);
    if (typeof message?.token !== "string") return fcmError(400, "INVALID_ARGUMENT", { violation: "message" });
    const request = { token: message.token, headers, message, n };
    if (!counts) seen.push(request);
    return (await answer(request)) ?? { status: 200, body: { name: `projects/${project}/messages/${n}` } };
  }

  const server = createServer({ ...(await forServer(["localhost", "127.0.0.1"])), keepAlive: true });
  // As at Google, it is not the server that ends idle connections.
  server.keepAliveTimeout = 0;
  server.on("request", async (request, response) => {
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    const isToken = request.url === "/token";
    if (isToken) asked++;
    const how = isToken
      ? (answerOauth() ?? (await oauth.give(String(body))))
      : send(request.url, request.headers, body);
    replyHttps(response, await how);
  });
  const listener = await openListener(t, server, options.port);
  const settings = {
    PUSH_FCM_URL: listener.url,
    PUSH_FCM_CA_FILE: await write("ca.pem", ca),
    PUSH_FCM_SERVICE_ACCOUNT_FILE: await write("service-account.json", JSON.stringify(oauth.account)),
  };
  return {
    ...listener,
    settings,
    seen,
    count: () => n,
    asked: () => asked,
    answer(how) {
      answer = how;
    },
    answerOauth(how) {
      answerOauth = how;
    },
    forgetTokens: () => oauth.given.clear(),
  };
}

function readMessage(body: Buffer): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(String(body)) as { message?: Record<string, unknown> }).message;
  } catch {
    return undefined;
  }
}
