// The examples of docs/push.md, made by the code that writes notifications.
import { readConfig } from "@parley/runtime";
import { settings } from "../../services/push/src/config.ts";
import type { Addressee } from "../../services/push/src/payload/addressee.ts";
import type { Notice } from "../../services/push/src/payload/notice.ts";
import { catalogue, type Language } from "../../services/push/src/payload/phrases/catalogue.ts";
import { writeNotification } from "../../services/push/src/payload/write-notification.ts";
import type { Outgoing } from "../../services/push/src/providers/outgoing.ts";
import { readMadePage } from "./made.ts";

const at = 1_795_240_400_000;
const appId = "org.example.chat";
const ttlSeconds = readConfig(settings, {}).PUSH_TTL_SECONDS;

const tokens: Readonly<Record<string, Addressee>> = {
  APNs: { kind: "apns", token: "…", appId, sandbox: false },
  "APNs, voip": { kind: "apns-voip", token: "…", appId, sandbox: false },
  FCM: { kind: "fcm", token: "…", appId, sandbox: false },
  "Web Push": { kind: "webpush", token: "…", keys: { p256dh: "…", auth: "…" }, appId, sandbox: false },
};

const text: Notice = {
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  conv: "p2p/alice/bob",
  seq: 12,
  id: "m12",
  from: { uid: "alice", name: "Alice" },
  content: { type: "text", data: "lunch?" },
  badge: 3,
  unread: 2,
  preview: "full",
  language: "en",
  at,
  expiresAt: at + ttlSeconds * 1_000,
};
const inRoom: Notice = { ...text, conv: "room/tea", room: { id: "tea", name: "Tea" } };
const picture: Notice = {
  ...inRoom,
  content: { type: "image", file: `f-${"a".repeat(32)}`, data: "my cat" },
  thumbnailUrl: "https://chat.example/signed/1",
};
const call: Notice = { ...text, kind: "call", content: { type: "call", media: "video", call: "c-1" } };
const { conv: _, seq: __, id: ___, content: ____, unread: _____, ...nowhere } = text;

const examples: readonly [title: string, notice: Notice, providers: readonly string[]][] = [
  ["A text", text, ["APNs", "FCM", "Web Push"]],
  ["A picture in a room", picture, ["APNs", "FCM", "Web Push"]],
  ["A text, where names alone may be seen", { ...text, preview: "name" }, ["APNs"]],
  ["A text, where nothing may be seen", { ...text, preview: "none" }, ["APNs", "FCM", "Web Push"]],
  ["A call", call, ["APNs, voip", "FCM", "APNs", "Web Push"]],
  ["An invitation to a room", { ...inRoom, kind: "invitation" }, ["APNs"]],
  ["A contact request", { ...nowhere, kind: "request" }, ["APNs"]],
  ["Another device has read", { ...text, kind: "read", badge: 1 }, ["APNs", "FCM"]],
];

/** What stands in the table of words. */
const worded: readonly Notice[] = [
  inRoom,
  { ...inRoom, mentioned: true },
  picture,
  ...[
    { type: "video", file: "f", durationMs: 65_000 },
    { type: "audio", file: "f", voice: true, durationMs: 5_000 },
    { type: "file", file: "f", name: "menu.pdf" },
    { type: "location", latitude: 52.5, longitude: 13.4, name: "Café" },
    { type: "contact", name: "Carol" },
    { type: "sticker", emoji: "🍵" },
    { type: "poll", question: "Where to?" },
    { type: "call", media: "audio", outcome: "missed" },
    { type: "x-weather", celsius: 21 },
  ].map((content) => ({ ...text, content })),
  call,
  { ...text, preview: "name", unread: 1 },
  { ...text, preview: "name" },
  { ...text, preview: "none" },
  { ...inRoom, kind: "invitation" },
  { ...nowhere, kind: "request" },
  { ...nowhere, kind: "accepted" },
];

function write(notice: Notice, provider: string): Outgoing {
  const to = tokens[provider];
  const outgoing = to && writeNotification(notice, to, at);
  if (!outgoing) throw new Error(`nothing is sent to ${provider}`);
  return outgoing;
}

/** How it is sent, and what. */
function shown(outgoing: Outgoing): [how: string, what: unknown] {
  if (outgoing.provider === "fcm") return ["", outgoing.message];
  if (outgoing.provider === "webpush") {
    const { ttl, urgency, topic, payload } = outgoing;
    return [`TTL: ${ttl} · Urgency: ${urgency} · Topic: ${topic}`, JSON.parse(payload)];
  }
  const { topic, pushType, priority, collapseId, expiresAt, id, payload } = outgoing;
  const names = [`apns-topic: ${topic}`, `apns-push-type: ${pushType}`, `apns-priority: ${priority}`];
  names.push(`apns-collapse-id: ${collapseId}`, `apns-expiration: ${expiresAt}`, `apns-id: ${id}`);
  return [names.join(" · "), payload];
}

function exampleOf([title, notice, providers]: (typeof examples)[number]): string {
  const blocks = providers.map((provider) => {
    const [how, what] = shown(write(notice, provider));
    const words = how === "" ? "" : ` \`${how}\``;
    return `${provider}:${words}\n\n\`\`\`json\n${JSON.stringify(what)}\n\`\`\``;
  });
  return `### ${title}\n\n${blocks.join("\n\n")}`;
}

const languages = Object.keys(catalogue) as Language[];

function lineOf(notice: Notice): string {
  const said = languages.map((language) => {
    const [, what] = shown(write({ ...notice, language }, "Web Push"));
    const { title, body } = what as { title: string; body?: string };
    return body === undefined ? `**${title}**` : `**${title}** ${body}`;
  });
  return `| ${said.join(" | ")} |`;
}

/** By the names that docs/push.md marks them with. */
export function notificationExamples(): Record<string, string> {
  const head = [`| ${languages.join(" | ")} |`, `|${"---|".repeat(languages.length)}`];
  return {
    notifications: examples.map(exampleOf).join("\n\n"),
    words: [...head, ...worded.map(lineOf)].join("\n"),
  };
}

export const readNotifications = () => readMadePage("push.md", notificationExamples());
