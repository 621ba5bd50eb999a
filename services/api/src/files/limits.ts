// How much may be uploaded and downloaded: by kind and size, at once, and by one user in a day.
import { AppError } from "@parley/protocol";
import { openTokenBuckets } from "@parley/runtime";
import type { Config } from "../config.ts";
import { openShares, type Shares } from "../http/shares.ts";

export interface FileLimits {
  uploads: Shares;
  downloads: Shares;
  /** uploads in parts that are being put together or removed: it goes on when who asked for it has gone */
  endings: Shares;
  /** bytes of the largest file that is taken */
  bytesMax: number;
  silenceMs: number;
  /** how long a link to the bytes holds; 0: none are given */
  linkSeconds: number;
  /** How many bytes a file of this media type may have; `forbidden` if none is taken. */
  ofKind(type: string): number | AppError;
  /** A refusal: the user has uploaded as much as it may in a day. */
  take(uid: string, bytes: number): AppError | undefined;
  /** The same before so many bytes are sent; takes nothing. */
  wouldTake(uid: string, bytes: number): AppError | undefined;
}

const ofOneUser = { uploads: 4, downloads: 16, endings: 4 };
const daySeconds = 24 * 60 * 60;
const users = 50_000;

export function createFileLimits(config: Config): FileLimits {
  const { API_FILE_BYTES, API_IMAGE_BYTES, API_FILE_TYPES, API_UPLOAD_DAY_BYTES: burst } = config;
  const types = API_FILE_TYPES.split(",");
  const isTaken = (type: string) =>
    types.some((one) => one === "*" || one === type || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))));
  const ofDay = openTokenBuckets({ rate: burst / daySeconds, burst, keys: users });
  return {
    uploads: openShares(config.API_UPLOADS, Math.min(ofOneUser.uploads, config.API_UPLOADS)),
    downloads: openShares(config.API_DOWNLOADS, Math.min(ofOneUser.downloads, config.API_DOWNLOADS)),
    endings: openShares(config.API_UPLOADS, Math.min(ofOneUser.endings, config.API_UPLOADS)),
    bytesMax: Math.max(API_FILE_BYTES, API_IMAGE_BYTES),
    silenceMs: config.API_UPLOAD_SILENCE_MS,
    linkSeconds: config.API_FILE_LINK_SECONDS,
    ofKind(type) {
      if (!isTaken(type)) return new AppError("forbidden", `files of type ${type} are not taken here`);
      return type.startsWith("image/") ? API_IMAGE_BYTES : API_FILE_BYTES;
    },
    take: (uid, bytes) => tooMuch(ofDay.take(uid, bytes)),
    wouldTake: (uid, bytes) => tooMuch(ofDay.peek(uid, bytes)),
  };
}

function tooMuch(retryAfterMs: number): AppError | undefined {
  if (retryAfterMs === 0) return undefined;
  return new AppError("rate_limited", "you have uploaded too much for one day", { details: { retryAfterMs } });
}
