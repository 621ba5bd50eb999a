// Google's token endpoint for service accounts: a signed assertion in, an access token out [RFC 7523].
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { jwtVerify } from "jose";
import type { HttpsReply } from "./https-reply.ts";

const audience = "https://oauth2.googleapis.com/token";
const scope = "https://www.googleapis.com/auth/firebase.messaging";
const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const seconds = 3600;

/** One service account, and the tokens that were given to it. */
export function openOauth(project: string) {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const email = `parley@${project}.iam.gserviceaccount.com`;
  const given = new Set<string>();

  return {
    /** What Google gives to download for it. */
    account: {
      type: "service_account",
      project_id: project,
      private_key_id: "0123456789abcdef",
      private_key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
      client_email: email,
      client_id: "1",
      token_uri: audience,
    },
    given,
    knows: (authorization: string | undefined) => given.has(/^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? ""),
    async give(body: string): Promise<HttpsReply> {
      const form = new URLSearchParams(body);
      if (form.get("grant_type") !== grant) return { status: 400, body: { error: "unsupported_grant_type" } };
      try {
        const options = { issuer: email, audience, algorithms: ["RS256"] };
        const { payload } = await jwtVerify(form.get("assertion") ?? "", publicKey, options);
        if (!String(payload.scope).split(" ").includes(scope)) return { status: 400, body: { error: "invalid_scope" } };
      } catch {
        return { status: 400, body: { error: "invalid_grant", error_description: "Invalid JWT Signature." } };
      }
      const token = `ya29.${randomBytes(24).toString("base64url")}`;
      given.add(token);
      return { status: 200, body: { access_token: token, expires_in: seconds, token_type: "Bearer" } };
    },
  };
}
