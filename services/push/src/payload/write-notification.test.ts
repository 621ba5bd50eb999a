import assert from "node:assert/strict";
import { test } from "node:test";
import { contentKinds, uncountedTypes } from "@parley/protocol";
import type { ApnsNotification, FcmNotification, Outgoing, WebPushNotification } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import type { Notice, Preview } from "./notice.ts";
import { catalogue, type Language } from "./phrases/phrases.ts";
import { nameMost } from "./words.ts";
import { writeNotification } from "./write-notification.ts";

const at = 1_795_240_400_000;
const day = 24 * 3_600_000;
const keys = { p256dh: "BPub", auth: "auth" };
const appId = "org.example.chat";
const tokens = {
  apns: { kind: "apns", token: "aa11", appId, sandbox: true },
  voip: { kind: "apns-voip", token: "bb22", appId, sandbox: false },
  fcm: { kind: "fcm", token: "cc33", appId, sandbox: false },
  web: { kind: "webpush", token: "https://push.example/dd44", keys, appId, sandbox: false },
} as const satisfies Record<string, Addressee>;
const shown = [tokens.apns, tokens.fcm, tokens.web];

const direct: Notice = {
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  conv: "p2p/alice/bob",
  seq: 12,
  id: "m12",
  from: { uid: "alice", name: "Alice Ng" },
  content: { type: "text", data: "lunch?" },
  badge: 7,
  unread: 1,
  preview: "full",
  language: "en",
  at,
  expiresAt: at + day,
};
const inRoom: Notice = { ...direct, conv: "room/r-77", room: { id: "r-77", name: "Tea Time" } };
const call: Notice = { ...direct, kind: "call", content: { type: "call", media: "video", call: "c-1" } };
const { conv: _, seq: __, id: ___, content: ____, unread: _____, ...nowhere } = direct;
const notices: Readonly<Record<Notice["kind"], Notice>> = {
  message: direct,
  call,
  invitation: { ...inRoom, kind: "invitation", content: { type: "event", data: { event: "invite" } } },
  request: { ...nowhere, kind: "request" },
  accepted: { ...nowhere, kind: "accepted" },
  read: { ...direct, kind: "read" },
  test: { ...nowhere, kind: "test" },
};

// biome-ignore lint/suspicious/noExplicitAny: tests reach into what is sent at any depth
type Json = any;

function write(notice: Notice, to: Addressee, now = at): Outgoing {
  const outgoing = writeNotification(notice, to, now);
  assert.ok(outgoing, `${notice.kind} to ${to.kind}`);
  return outgoing;
}
const toApns = (notice: Notice) => write(notice, tokens.apns) as ApnsNotification & { payload: Json };
const toVoip = (notice: Notice) => write(notice, tokens.voip) as ApnsNotification & { payload: Json };
const toFcm = (notice: Notice, now = at) => write(notice, tokens.fcm, now) as FcmNotification & { message: Json };
const toWeb = (notice: Notice, now = at) => write(notice, tokens.web, now) as WebPushNotification;

/** The JSON that the provider is given. */
function jsonOf(outgoing: Outgoing): string {
  if (outgoing.provider === "webpush") return outgoing.payload;
  return JSON.stringify(outgoing.provider === "fcm" ? outgoing.message : outgoing.payload);
}

const bytesOf = (outgoing: Outgoing) => Buffer.byteLength(jsonOf(outgoing));

/** What is seen of it. */
function seen(outgoing: Outgoing): { title?: string; body?: string } {
  const said = JSON.parse(jsonOf(outgoing));
  if (outgoing.provider === "fcm") return said.notification ?? said.data;
  const { title, body } = outgoing.provider === "apns" ? (said.aps.alert ?? said) : said;
  return { title, body };
}

const limits = { apns: 4_096, voip: 5_120, fcm: 4_096 - 256, web: 3_993 };
const limitOf = ({ kind }: Addressee) =>
  ({ apns: limits.apns, "apns-voip": limits.voip, fcm: limits.fcm, webpush: limits.web })[kind];

const file = `f-${"a".repeat(32)}`;
/** One of every content type that is told of, with what is told in English. */
const contents: readonly [content: Notice["content"] & {}, shown: string][] = [
  [{ type: "text", data: "lunch?" }, "lunch?"],
  [{ type: "text", data: "" }, "Sent a message"],
  [{ type: "text" }, "Sent a message"],
  [{ type: "image", file }, "📷 Photo"],
  [{ type: "image", file, data: "my cat" }, "📷 Photo: my cat"],
  [{ type: "video", file, durationMs: 65_000 }, "🎥 Video (1:05)"],
  [{ type: "video", file, durationMs: 65_000, data: "my cat" }, "🎥 Video (1:05): my cat"],
  [{ type: "audio", file, name: "song.mp3", durationMs: 185_000 }, "🎵 Audio (3:05): song.mp3"],
  [{ type: "audio", file, voice: true, name: "rec.ogg", durationMs: 5_000 }, "🎤 Voice message (0:05)"],
  [{ type: "file", file, name: "menu.pdf" }, "📎 File: menu.pdf"],
  [{ type: "file", file, name: "menu.pdf", data: "for you" }, "📎 File: for you"],
  [{ type: "file", file, data: { any: 1 } }, "📎 File"],
  [{ type: "location", latitude: 52.5, longitude: 13.4, name: "Café" }, "📍 Location: Café"],
  [{ type: "location", latitude: 52.5, longitude: 13.4 }, "📍 Location"],
  [{ type: "contact", name: "Carol Reed", phones: ["+49 30 1"] }, "👤 Contact: Carol Reed"],
  [{ type: "sticker", url: "https://x.example/tea.webp", emoji: "🍵" }, "🍵 Sticker"],
  [{ type: "sticker", name: "tea", emoji: "Bank: your code" }, "Sticker"],
  [{ type: "poll", question: "Where to?", options: ["Berlin", "Paris"] }, "📊 Poll: Where to?"],
  [{ type: "call", media: "audio", outcome: "answered", durationMs: 61_000 }, "📞 Call (1:01)"],
  [{ type: "call", media: "audio", outcome: "missed" }, "📞 Missed call"],
  [{ type: "call", media: "video", outcome: "missed" }, "📞 Missed video call"],
  [{ type: "call", media: "audio", outcome: "declined" }, "📞 Declined call"],
  [{ type: "call", media: "audio", outcome: "busy" }, "📞 Call, line busy"],
  [{ type: "call", media: "video", outcome: "failed" }, "📞 Failed video call"],
  [{ type: "call", media: "audio", outcome: "ringing" }, "📞 Incoming call"],
  [{ type: "call", media: "audio", outcome: "constructor" }, "📞 Call"],
  [{ type: "x-weather", data: "sunny" }, "Sent a message"],
  [{ type: "hologram", data: "of a later version" }, "Sent a message"],
  [{ type: "constructor" }, "Sent a message"],
];

for (const [content, words] of contents)
  test(`${JSON.stringify(content)} is shown as: ${words}`, () => {
    for (const to of shown) {
      assert.deepEqual(seen(write({ ...direct, content }, to)), { title: "Alice Ng", body: words });
      const said = seen(write({ ...inRoom, content }, to));
      assert.deepEqual(said, { title: "Tea Time", body: `Alice Ng: ${words}` });
    }
  });

test("every content type that Parley knows is shown, or nobody is told of it", () => {
  const told = new Set(contents.map(([{ type }]) => type));
  for (const type of [...Object.keys(contentKinds), "event", "erased"]) {
    if (told.has(type)) continue;
    assert.ok(uncountedTypes.has(type) || type === "erased", type);
    for (const to of Object.values(tokens))
      assert.equal(writeNotification({ ...direct, content: { type, seq: 3, data: "lunch?" } }, to, at), undefined);
  }
});

const languages = Object.keys(catalogue) as Language[];
const previews: readonly Preview[] = ["full", "name", "none"];
/** Words that nobody may see where names, or texts, are not to be seen. */
const secrets = {
  names: ["Alice Ng", "alice", "Tea Time", "r-77", "p2p/", "room/", "m12", "c-1"],
  texts: ["lunch", "my cat", "menu.pdf", "song.mp3", "for you", "Café", "Carol", "Where to", "thumb.example"],
};

const inEveryPlace: readonly Notice[] = [direct, inRoom, { ...inRoom, mentioned: true }, { ...inRoom, unread: 5 }];
const everything: readonly Notice[] = [
  ...contents.flatMap(([content]) => inEveryPlace.map((notice) => ({ ...notice, content }))),
  ...Object.values(notices),
  { ...inRoom, kind: "call", content: { type: "call", media: "audio", call: "c-1" } },
];

for (const language of languages)
  for (const preview of previews)
    test(`${language}, ${preview}: no content type or kind, on no provider, tells more than the setting lets`, () => {
      for (const notice of everything)
        for (const to of Object.values(tokens)) {
          const thumbnailUrl = "https://thumb.example/1";
          const outgoing = writeNotification({ ...notice, language, preview, thumbnailUrl }, to, at);
          if (outgoing) assertDiscreet(outgoing, notice, preview);
          else assert.ok(to.kind === "apns-voip" || notice.kind === "read");
        }
    });

function assertDiscreet(outgoing: Outgoing, { kind, content }: Notice, preview: Preview): void {
  const { collapseId, topic } = outgoing as { collapseId?: string; topic?: string };
  const json = `${jsonOf(outgoing)} ${collapseId} ${topic}`;
  const what = `${kind} ${content?.type}: ${json}`;
  const isTold = (word: string) => json.includes(word);
  if (preview !== "full") assert.deepEqual(secrets.texts.filter(isTold), [], what);
  if (preview === "none") assert.deepEqual(secrets.names.filter(isTold), [], what);
  else if (kind !== "read" && kind !== "test") assert.ok(isTold("Alice Ng"), what);
  if (kind !== "read") assert.ok(seen(outgoing).title, what);
  assert.ok(json.isWellFormed(), what);
}

const phrased: readonly [language: Language, notice: Notice, title: string, body?: string][] = [
  ["en", { ...direct, preview: "name" }, "Alice Ng", "Sent you a message"],
  ["en", { ...direct, preview: "name", unread: 3 }, "Alice Ng", "3 new messages"],
  ["en", { ...inRoom, preview: "name" }, "Tea Time", "Alice Ng: New message"],
  ["en", { ...inRoom, mentioned: true }, "Tea Time", "Alice Ng mentioned you: lunch?"],
  ["en", { ...inRoom, mentioned: true, preview: "name" }, "Tea Time", "Alice Ng mentioned you: New message"],
  ["en", { ...direct, preview: "none" }, "New message"],
  ["en", { ...direct, preview: "none", unread: 3 }, "3 new messages"],
  ["en", call, "Alice Ng", "📞 Incoming video call"],
  ["en", { ...call, preview: "none" }, "Incoming call"],
  ["en", notices.invitation, "Tea Time", "Invitation from Alice Ng"],
  ["en", { ...notices.invitation, preview: "none" }, "New invitation"],
  ["en", notices.request, "Alice Ng", "Contact request"],
  ["en", { ...notices.request, preview: "none" }, "Contact request"],
  ["en", notices.accepted, "Alice Ng", "Contact request accepted"],
  ["en", { ...notices.test, preview: "none" }, "Test notification", "Notifications reach this device."],
  ["de", { ...inRoom, content: { type: "image", data: "Katze" } }, "Tea Time", "Alice Ng: 📷 Foto: Katze"],
  ["zh", { ...inRoom, content: { type: "file", name: "菜单.pdf" } }, "Tea Time", "Alice Ng：📎 文件：菜单.pdf"],
  ["uk", { ...direct, preview: "name" }, "Alice Ng", "Надсилає вам повідомлення"],
  ["uk", { ...direct, preview: "name", unread: 22 }, "Alice Ng", "22 нові повідомлення"],
  ["ar", { ...inRoom, content: { type: "image" } }, "Tea Time", "\u2068Alice Ng\u2069: 📷 صورة"],
  ["ar", inRoom, "Tea Time", "\u2068Alice Ng\u2069: \u2068lunch?\u2069"],
  ["ar", { ...direct, content: { type: "file", name: "a.pdf" } }, "Alice Ng", "📎 ملف: \u2068a.pdf\u2069"],
  ["ar", notices.invitation, "Tea Time", "دعوة من \u2068Alice Ng\u2069"],
];

for (const [language, notice, title, body] of phrased)
  test(`${language}: ${notice.kind} (${notice.preview}) says ${title} / ${body}`, () => {
    for (const to of shown) {
      const said = seen(write({ ...notice, language }, to));
      assert.deepEqual([said.title, said.body], [title, body], to.kind);
    }
  });

const fillers: Readonly<Record<string, string>> = {
  letters: "a",
  "what JSON escapes": '"\\',
  families: "👨‍👩‍👧‍👦",
  Devanagari: "क्षि",
  Chinese: "字",
  "Arabic with vowels": "مَ",
};

for (const [name, to] of Object.entries({ apns: tokens.apns, fcm: tokens.fcm, web: tokens.web }))
  test(`${name}: a text that just fits goes whole, to the byte; one more, and it is cut at a grapheme`, () => {
    const most = limitOf(to);
    const saying = (data: string) => write({ ...inRoom, content: { type: "text", data } }, to);
    const rest = most - bytesOf(saying("a")) + 1;
    const full = saying("a".repeat(rest));
    assert.equal(bytesOf(full), most);
    assert.equal(seen(full).body, `Alice Ng: ${"a".repeat(rest)}`);
    const over = saying("a".repeat(rest + 1));
    assert.equal(bytesOf(over), most);
    assert.equal(seen(over).body, `Alice Ng: ${"a".repeat(rest - 3)}…`);
    for (const [what, filler] of Object.entries(fillers))
      for (let before = 0; before < 32; before += 1) {
        const outgoing = saying("a".repeat(before) + filler.repeat(5_000));
        const body = `${seen(outgoing).body}`.replaceAll(/[\u2068\u2069]/gu, "");
        const graphemes = [...new Intl.Segmenter().segment(filler)].map(({ segment }) => segment);
        const longest = Math.max(...graphemes.map((one) => Buffer.byteLength(JSON.stringify(one)) - 2));
        assert.ok(bytesOf(outgoing) <= most && bytesOf(outgoing) > most - longest - 1, `${what} ${bytesOf(outgoing)}`);
        const kept = body.slice("Alice Ng: ".length + before, -1);
        assert.ok(body.endsWith("…") && (filler.repeat(5_000) + filler).startsWith(kept), what);
        const parts = [...new Intl.Segmenter().segment(kept)].map(({ segment }) => segment);
        assert.ok(
          parts.every((part) => graphemes.includes(part)),
          what,
        );
      }
  });

const hostile: Readonly<Record<string, string>> = {
  long: "n".repeat(60_000),
  escaped: '"\\'.repeat(30_000),
  families: "👨‍👩‍👧‍👦".repeat(5_000),
  "one endless cluster": "👨‍".repeat(20_000),
  "piled up": `a${"\u0335".repeat(60_000)}`,
  "lone surrogates": "\ud83d".repeat(60_000),
  NULs: "\u0000".repeat(60_000),
  overrides: `${"\u202e".repeat(30_000)}name`,
  Arabic: "لَ".repeat(30_000),
  breaks: "Alice\nBob: hi\n".repeat(5_000),
};

/** Of everything the longest that the doors let in. */
const longest = {
  conv: `dev/${"u".repeat(32)}/${"v".repeat(32)}/${"%41".repeat(85)}`,
  id: "\u{1F600}".repeat(32),
  seq: 2 ** 50,
  badge: 2 ** 31,
  thumbnailUrl: `https://x.example/${"s".repeat(1_980)}`,
};
const longCall = { type: "call", media: "video", call: "\u{1F600}".repeat(32) };
const longText = { type: "text", data: "lunch? ".repeat(10_000) };

for (const [what, text] of Object.entries(hostile))
  test(`names and texts that are ${what} leave a notification that its provider takes, and room for the text`, () => {
    const from = { uid: "u".repeat(32), name: text };
    const room = { id: "r".repeat(128), name: text };
    const all = Object.values(notices).flatMap(({ kind }): Notice[] => [
      { ...direct, ...longest, kind, from, content: kind === "call" ? longCall : { type: "text", data: text } },
      { ...direct, ...longest, kind, from, room, mentioned: true, content: kind === "call" ? longCall : longText },
    ]);
    for (const notice of all)
      for (const language of languages)
        for (const to of Object.values(tokens)) {
          const outgoing = writeNotification({ ...notice, language }, to, at);
          if (outgoing) assertTaken(outgoing, notice, limitOf(to));
        }
  });

function assertTaken(outgoing: Outgoing, { kind, room }: Notice, most: number): void {
  const what = `${kind} ${outgoing.provider}`;
  assert.ok(bytesOf(outgoing) <= most, `${what}: ${bytesOf(outgoing)}`);
  assert.ok(jsonOf(outgoing).isWellFormed(), what);
  if (kind === "read") return;
  const { title = "", body = "" } = seen(outgoing);
  assert.ok(title !== "" && title !== "…", what);
  assert.ok([...new Intl.Segmenter().segment(title)].length <= nameMost.graphemes, what);
  for (const line of [title, body]) {
    assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066\u2067]/u, what);
    assert.equal(line.split("\u2068").length, line.split("\u2069").length, what);
  }
  if (kind === "message" && room) assert.ok(body.includes("lunch? ".repeat(50)), `${what}: ${body}`);
}

test("who has no name that can be seen is called by the uid, a room by its id", () => {
  const nobody: Notice = { ...inRoom, from: { uid: "alice", name: "\u202e\u2800" }, room: { id: "r-77", name: " " } };
  for (const to of shown) {
    assert.deepEqual(seen(write(nobody, to)), { title: "r-77", body: "alice: lunch?" });
    // One grapheme, too long to be shown.
    const endless = { ...direct, from: { uid: "alice", name: "👨\u200d".repeat(200) } };
    assert.equal(seen(write(endless, to)).title, "alice");
    const { from: _, ...unknown } = direct;
    assert.equal(seen(write(unknown, to)).title, "Somebody");
  }
});

test("an alert of APNs has the badge, the thread, the data for the app and headers as Apple wants them", () => {
  const { payload, ...headers } = toApns(direct);
  const { tag } = payload;
  assert.match(headers.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    { ...headers, id: "" },
    {
      provider: "apns",
      token: "aa11",
      sandbox: true,
      topic: appId,
      pushType: "alert",
      priority: 10,
      collapseId: tag,
      expiresAt: (at + day) / 1_000,
      id: "",
    },
  );
  assert.deepEqual(payload, {
    aps: { alert: { title: "Alice Ng", body: "lunch?" }, sound: "default", badge: 7, "thread-id": tag },
    ...{ kind: "message", tag, conv: "p2p/alice/bob", seq: 12, id: "m12", sender: "alice" },
  });
});

test("a read on another device changes the badge and takes away, and shows nothing", () => {
  const { tag } = toApns(direct).payload;
  const data = { kind: "read", tag, conv: "p2p/alice/bob", seq: 12, id: "m12", sender: "alice" };
  const apns = toApns(notices.read);
  assert.deepEqual(apns.payload, { aps: { "content-available": 1, badge: 7, "thread-id": tag }, ...data });
  assert.deepEqual([apns.pushType, apns.priority, apns.collapseId], ["alert", 5, tag]);
  const { message } = toFcm(notices.read);
  assert.equal(message.notification, undefined);
  assert.deepEqual(message.data, { ...data, seq: "12", badge: "7" });
  assert.deepEqual(message.android, { priority: "normal", ttl: day, collapseKey: tag });
  assert.deepEqual(message.apns.payload.aps, { contentAvailable: true, badge: 7, threadId: tag });
  const { "apns-priority": priority, "apns-push-type": type } = message.apns.headers;
  assert.deepEqual([priority, type], ["5", "alert"]);
  for (const to of [tokens.web, tokens.voip]) assert.equal(writeNotification(notices.read, to, at), undefined);
});

test("a call rings by a voip token and by data on Android, thirty seconds long; elsewhere it is shown", () => {
  const voip = toVoip(call);
  const { tag } = voip.payload;
  const data = { kind: "call", tag, badge: 7, conv: "p2p/alice/bob", seq: 12, id: "m12", sender: "alice" };
  const ring = { call: "c-1", media: "video" };
  const words = { title: "Alice Ng", body: "📞 Incoming video call" };
  assert.deepEqual(voip.payload, { aps: {}, ...words, ...data, ...ring });
  assert.deepEqual(
    [voip.topic, voip.pushType, voip.priority, voip.expiresAt],
    [`${appId}.voip`, "voip", 10, at / 1_000 + 30],
  );
  const { message } = toFcm(call, at + 1_000);
  assert.equal(message.notification, undefined);
  assert.deepEqual(message.data, { ...data, ...ring, ...words, seq: "12", badge: "7" });
  assert.deepEqual(message.android, { priority: "high", ttl: 29_000, collapseKey: tag });
  assert.deepEqual(message.apns.payload.aps.alert, words);
  const web = toWeb(call, at + 1_500);
  assert.deepEqual([web.urgency, web.ttl, web.topic], ["high", 28, tag]);
  assert.equal(JSON.parse(web.payload).requireInteraction, true);
  assert.equal(toApns(call).expiresAt, at / 1_000 + 30);
});

test("a voip token is for calls and tests only", () => {
  for (const notice of Object.values(notices)) {
    const isFor = notice.kind === "call" || notice.kind === "test";
    assert.equal(writeNotification(notice, tokens.voip, at) !== undefined, isFor, notice.kind);
  }
});

test("what is of no use any more is not sent: a call after thirty seconds, all else when its time is over", () => {
  for (const to of shown) {
    assert.ok(writeNotification(call, to, at + 29_999));
    assert.equal(writeNotification(call, to, at + 30_000), undefined);
    assert.ok(writeNotification(direct, to, at + day - 1));
    assert.equal(writeNotification(direct, to, at + day), undefined);
    assert.equal(writeNotification({ ...call, expiresAt: at + 5_000 }, to, at + 5_000), undefined);
  }
});

test("nothing is kept longer than providers keep it", () => {
  const lasting = { ...direct, expiresAt: at + 400 * day };
  assert.equal(toFcm(lasting).message.android.ttl, 28 * day);
  assert.equal(toWeb(lasting).ttl, (28 * day) / 1_000);
});

test("haste: what somebody waits for wakes a sleeping phone, and what is said to a whole room wakes no browser", () => {
  const rows: Record<string, readonly [apns: number, fcm: string, web: string | undefined]> = Object.fromEntries(
    Object.entries({ ...notices, room: inRoom, mention: { ...inRoom, mentioned: true } }).map(([name, notice]) => {
      const web = writeNotification(notice, tokens.web, at) as WebPushNotification | undefined;
      return [name, [toApns(notice).priority, toFcm(notice).message.android.priority, web?.urgency] as const];
    }),
  );
  assert.deepEqual(rows, {
    message: [10, "high", "high"],
    mention: [10, "high", "high"],
    room: [10, "high", "normal"],
    call: [10, "high", "high"],
    invitation: [10, "high", "high"],
    request: [10, "high", "high"],
    accepted: [5, "normal", "low"],
    test: [10, "high", "high"],
    read: [5, "normal", undefined],
  });
});

test("FCM is given no key that it reserves, and only texts in data", () => {
  for (const notice of Object.values(notices)) {
    const { data } = toFcm(notice).message;
    for (const [key, value] of Object.entries(data)) {
      assert.doesNotMatch(key, /^(from|message_type|collapse_key|google.*|gcm.*)$/);
      assert.equal(typeof value, "string");
    }
  }
});

test("Android is told the tag, a channel of its kind and the conversation's count; iOS behind FCM the badge", () => {
  const { message } = toFcm({ ...direct, unread: 3 });
  const { tag } = message.data;
  assert.deepEqual(message.notification, { title: "Alice Ng", body: "lunch?" });
  assert.deepEqual(message.android.notification, { tag, channelId: "message", notificationCount: 3 });
  assert.deepEqual(message.apns, {
    headers: {
      "apns-collapse-id": tag,
      "apns-expiration": String((at + day) / 1_000),
      "apns-priority": "10",
      "apns-push-type": "alert",
    },
    payload: { aps: { sound: "default", badge: 7, threadId: tag } },
  });
});

test("a browser is told the options of showNotification, and what it is written in", () => {
  const { payload, ...rest } = toWeb({ ...direct, language: "ar-EG" });
  const { data, ...options } = JSON.parse(payload);
  assert.deepEqual(rest, {
    provider: "webpush",
    endpoint: "https://push.example/dd44",
    keys,
    ttl: day / 1_000,
    urgency: "high",
    topic: data.tag,
  });
  assert.deepEqual(options, {
    ...{ title: "Alice Ng", body: "lunch?", tag: data.tag, renotify: true },
    ...{ lang: "ar", dir: "rtl", timestamp: at },
  });
  assert.equal(data.badge, 7);
});

test("a picture goes along with messages only", () => {
  for (const notice of Object.values(notices))
    for (const to of Object.values(tokens)) {
      const outgoing = writeNotification({ ...notice, thumbnailUrl: "https://thumb.example/1" }, to, at);
      const isThere = outgoing && /thumb\.example|mutable/.test(jsonOf(outgoing));
      if (outgoing) assert.equal(isThere, notice.kind === "message", `${notice.kind} ${to.kind}`);
    }
});

test("a picture's address goes along where all may be seen, if it is a web address that leaves room for words", () => {
  const url = "https://thumb.example/1?sig=x";
  const pictures = (thumbnailUrl: string, preview: Preview = "full") => {
    const notice = { ...direct, preview, thumbnailUrl };
    const { payload } = toApns(notice);
    const { notification, apns } = toFcm(notice).message;
    const web = JSON.parse(toWeb(notice).payload);
    const mutable = [payload.aps["mutable-content"] ?? 0, Number(apns.payload.aps.mutableContent ?? 0)];
    return { urls: [payload.image, notification.imageUrl, web.image], mutable };
  };
  const none = { urls: [undefined, undefined, undefined], mutable: [0, 0] };
  assert.deepEqual(pictures(url), { urls: [url, url, url], mutable: [1, 1] });
  for (const preview of ["name", "none"] as const) assert.deepEqual(pictures(url, preview), none);
  for (const other of ["javascript:alert(1)", "/attachments/f-1", `https://x.example/${"s".repeat(4_000)}`])
    assert.deepEqual(pictures(other), none);
});

test("Web Push without a subscription's keys has nothing to send to", () => {
  const { keys: _, ...without } = tokens.web;
  assert.equal(writeNotification(direct, without, at), undefined);
});
