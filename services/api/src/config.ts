// The settings of api.
import { type Config as ConfigOf, defineSettings } from "@parley/runtime";
import { Type } from "typebox";

const Port = (description: string, fallback: number) =>
  Type.Integer({ default: fallback, minimum: 0, maximum: 65535, description });
const WebSocketUrl = (description: string) =>
  Type.Optional(
    Type.String({ pattern: "^wss?://[^\\s/]+(/\\S*)?$", expects: "ws://host:port or wss://…", description }),
  );

export const settings = defineSettings({
  service: "api",
  prefix: "API",
  shared: [
    ...(["NATS_URL", "REDIS_URL", "STORE_URL", "BLOBS_URL", "TRUSTED_PROXIES", "DIRECT_MESSAGES"] as const),
    ...(["LINK_PREVIEWS", "LINK_PREVIEW_ALLOW", "GUESTS"] as const),
  ],
  own: {
    API_HOST: Type.String({ default: "127.0.0.1", description: "address HTTP listens on; 0.0.0.0 in a container" }),
    API_PORT: Port("port of HTTP; 0 = any free one", 8080),
    API_REGISTER: Type.Boolean({ default: true, description: "anybody may register; off in clusters" }),
    API_CODES: Type.String({
      default: "off",
      pattern: "^(off|print|https?://\\S+)$",
      expects: "off, print or https://user:password@host/path",
      description:
        "who brings codes to phones and mailboxes: nobody, the log (print), or a provider that takes {phone or email, code, voice, language} as JSON",
    }),
    API_CODES_FIXED: Type.String({
      default: "",
      pattern: "^([0-9A-Za-z@._+-]+=[0-9]{4,8}(,[0-9A-Za-z@._+-]+=[0-9]{4,8})*)?$",
      expects: "380670000001=123456,…",
      description: "phones and mailboxes of tests, whose code is always the same and sent to nobody",
    }),
    API_CODES_PER_MINUTE: Type.Integer({
      default: 600,
      minimum: 1,
      description: "codes that are sent a minute; to one phone 5, then one in 10 minutes",
    }),
    API_MQTT_HOST: Type.String({ default: "127.0.0.1", minLength: 1, description: "host of MQTT, told at login" }),
    API_MQTT_PORT: Port("port of MQTT, told at login", 1883),
    API_PUBLIC_URL: Type.Optional(
      Type.String({
        pattern: "^https?://[^/]+(/.*[^/])?$",
        expects: "https://host or https://host/path",
        description:
          "address of this server as devices reach it: notifications show thumbnails; without it they have none",
      }),
    ),
    API_PUBLIC_WS: WebSocketUrl("address of MQTT over WebSocket, told at login; without it /mqtt of this server"),
    API_WS_UPSTREAM: WebSocketUrl("where a WebSocket on /mqtt is passed on to"),
    API_RATE: Type.Integer({ default: 100, minimum: 1, description: "requests of one device a second" }),
    API_BURST: Type.Integer({ default: 1_000, minimum: 1, description: "requests a device may make at once" }),
    API_REQUESTS: Type.Integer({
      default: 1_000,
      minimum: 1,
      description: "requests in hand at once; the next is told: unavailable",
    }),
    API_CONNECTIONS: Type.Integer({
      default: 20_000,
      minimum: 1,
      description: "open connections, WebSockets included; the next is closed",
    }),
    API_CORS_ORIGINS: Type.String({
      default: "",
      pattern: "^(\\*|https?://[^\\s,/]+(,https?://[^\\s,/]+)*)?$",
      expects: "* or https://a.example,https://b.example",
      description: "origins whose pages may call; none = only our own",
    }),
    API_BODY_TIMEOUT_MS: Type.Integer({
      default: 30_000,
      minimum: 100,
      description: "how long the body of a request that is no upload may take to arrive (ms)",
    }),
    API_FILE_BYTES: Type.Integer({
      default: 2 * 1024 ** 3,
      minimum: 1,
      description: "bytes of one attachment",
    }),
    API_IMAGE_BYTES: Type.Integer({
      default: 64 * 1024 ** 2,
      minimum: 1,
      description: "bytes of one attachment that is a picture, by what its bytes are",
    }),
    API_FILE_TYPES: Type.String({
      default: "*",
      pattern: "^(\\*|[a-z]+/([a-z0-9.+-]+|\\*)(,[a-z]+/([a-z0-9.+-]+|\\*))*)$",
      expects: "* or image/*,application/pdf",
      description: "kinds of attachments that are taken, by what their bytes are",
    }),
    API_UPLOADS: Type.Integer({ default: 64, minimum: 1, description: "uploads at once, 4 of them of one user" }),
    API_DOWNLOADS: Type.Integer({
      default: 256,
      minimum: 1,
      description: "downloads of attachments at once, 16 of them of one user",
    }),
    API_FILE_LINK_SECONDS: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 3_600,
      description:
        "S3 only: downloads are sent on to a link to the bucket that holds so long (s); 0 = api serves them itself",
    }),
    API_EXPORTS: Type.Integer({
      default: 4,
      minimum: 1,
      description: "exports of accounts at once, one of them of one user",
    }),
    API_UPLOAD_DAY_BYTES: Type.Integer({
      default: 20 * 1024 ** 3,
      minimum: 1,
      description: "bytes that one user may upload (per day)",
    }),
    API_UPLOAD_SILENCE_MS: Type.Integer({
      default: 30_000,
      minimum: 100,
      description: "an upload of which no byte arrives for so long is ended (ms)",
    }),
    API_MEDIA_WORKERS: Type.Integer({
      default: 1,
      minimum: 0,
      maximum: 64,
      description: "files at once that are looked at for size, duration and thumbnail; 0: none",
    }),
    API_MEDIA_MS: Type.Integer({
      default: 60_000,
      minimum: 100,
      maximum: 60_000,
      description: "a program that looks at a file for longer is killed (ms)",
    }),
    API_MEDIA_MEMORY_BYTES: Type.Integer({
      default: 1024 ** 3,
      minimum: 1024 ** 2,
      description: "a program that needs more memory for a file is killed (bytes)",
    }),
    API_MEDIA_PIXELS: Type.Integer({
      default: 64_000_000,
      minimum: 1,
      description: "a picture of more is not looked at, all frames together (pixels)",
    }),
    API_CLAMD_URL: Type.Optional(
      Type.String({
        pattern: "^(tcp://[^\\s/:]+:\\d+|unix:/\\S+)$",
        expects: "tcp://host:port or unix:/path",
        description:
          "clamd, which scans uploads for malware before others may have them; without it nothing is scanned or waited for",
      }),
    ),
    API_CLAMD_BYTES: Type.Integer({
      default: 25 * 1024 ** 2,
      minimum: 1,
      description: "a larger file is not scanned; at most StreamMaxLength of clamd (bytes)",
    }),
    API_ADDRESS_RATE: Type.Integer({
      default: 50,
      minimum: 1,
      description: "requests without a valid token (logins too) of one address a second",
    }),
    API_ADDRESS_BURST: Type.Integer({
      default: 500,
      minimum: 1,
      description: "requests without a valid token that an address may make at once",
    }),
    API_REGISTRATIONS: Type.Integer({
      default: 600,
      minimum: 1,
      description: "accounts that one address may register (per minute)",
    }),
    API_SEARCHES: Type.Integer({
      default: 60,
      minimum: 1,
      description: "searches for people that one user may make (per minute)",
    }),
    API_PREVIEWS: Type.Integer({
      default: 30,
      minimum: 1,
      description: "previews of links that one user may ask for (per minute)",
    }),
    API_FAILURES: Type.Integer({
      default: 10,
      minimum: 1,
      description: "wrong passwords of one address for one user (per minute) before no more are checked",
    }),
    API_ADDRESS_FAILURES: Type.Integer({
      default: 100,
      minimum: 1,
      description: "wrong passwords of one address for all users (per minute) before no more are checked",
    }),
  },
});

export type Config = ConfigOf<typeof settings>;
