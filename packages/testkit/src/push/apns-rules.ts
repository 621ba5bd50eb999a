// What APNs says of a request by its headers and payload alone: Apple's table "Handling notification responses from APNs".
import type { IncomingHttpHeaders } from "node:http2";

/** The answer that refuses it; undefined: nothing is wrong with it. */
export interface ApnsRefusal {
  status: number;
  reason: string;
}

const pushTypes = [
  ...["alert", "background", "controls", "location", "voip", "complication", "fileprovider", "mdm"],
  ...["liveactivity", "pushtotalk", "widgets"],
];
const collapseIdBytesMax = 64;
const payloadBytesMax = 4096;
const voipPayloadBytesMax = 5120;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const deviceToken = /^\/3\/device\/([0-9a-f]{64,200})$/i;

/** The device token of the path; undefined: there is none in it, or none that can be. */
export function tokenOf(path = ""): string | undefined {
  return deviceToken.exec(path)?.[1];
}

export function judgeRequest(headers: IncomingHttpHeaders, body: Buffer): ApnsRefusal | undefined {
  const path = headers[":path"];
  if (headers[":method"] !== "POST") return { status: 405, reason: "MethodNotAllowed" };
  if (!path?.startsWith("/3/device/")) return { status: 404, reason: "BadPath" };
  if (path === "/3/device/") return bad("MissingDeviceToken");
  if (tokenOf(path) === undefined) return bad("BadDeviceToken");
  return judgeHeaders(headers) ?? judgeBody(headers, body);
}

function judgeHeaders(headers: IncomingHttpHeaders): ApnsRefusal | undefined {
  const text = (name: string) => (headers[name] === undefined ? undefined : String(headers[name]));
  const [type, priority, id] = [text("apns-push-type"), text("apns-priority"), text("apns-id")];
  const [expires, collapse] = [text("apns-expiration"), text("apns-collapse-id")];
  if (text("apns-topic") === undefined) return bad("MissingTopic");
  if (type === undefined || !pushTypes.includes(type)) return bad("InvalidPushType");
  if (priority !== undefined && !["1", "5", "10"].includes(priority)) return bad("BadPriority");
  if (type === "background" && priority === "10") return bad("BadPriority");
  if (id !== undefined && !uuid.test(id)) return bad("BadMessageId");
  if (expires !== undefined && !/^\d{1,12}$/.test(expires)) return bad("BadExpirationDate");
  if (collapse !== undefined && Buffer.byteLength(collapse) > collapseIdBytesMax) return bad("BadCollapseId");
  return undefined;
}

function judgeBody(headers: IncomingHttpHeaders, body: Buffer): ApnsRefusal | undefined {
  if (body.length === 0) return bad("PayloadEmpty");
  const max = headers["apns-push-type"] === "voip" ? voipPayloadBytesMax : payloadBytesMax;
  if (body.length > max) return { status: 413, reason: "PayloadTooLarge" };
  return undefined;
}

function bad(reason: string): ApnsRefusal {
  return { status: 400, reason };
}
