import assert from "node:assert/strict";
import { test } from "node:test";
import {
  appId,
  at,
  call,
  day,
  direct,
  inRoom,
  jsonOf,
  keys,
  notices,
  shown,
  toApns,
  toFcm,
  tokens,
  toVoip,
  toWeb,
} from "../../test/notices.ts";
import type { WebPushNotification } from "../providers/outgoing.ts";
import type { Preview } from "./notice.ts";
import { writeNotification } from "./write-notification.ts";

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
