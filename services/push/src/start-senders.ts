// The providers that the settings tell of, each with its client. Throws one ConfigError with all that is wrong with them.
import { ConfigError, createGuard, type Logger, readNetworks } from "@parley/runtime";
import type { Static, TObject } from "typebox";
import type { ApnsCredentials, ApnsPlace } from "./providers/apns/connection.ts";
import { type ApnsOptions, startApnsSender } from "./providers/apns/sender.ts";
import type { FcmPlace } from "./providers/fcm/app.ts";
import { type FcmOptions, startFcmSender } from "./providers/fcm/sender.ts";
import {
  KeyFileError,
  readAppCertificate,
  readAuthorities,
  readServiceAccount,
  readSigningKey,
} from "./providers/key-files.ts";
import type { ApnsNotification, FcmNotification, Sender, WebPushNotification } from "./providers/outgoing.ts";
import type { providerSettings } from "./providers/settings.ts";
import { startWebPushSender, type WebPushOptions } from "./providers/web-push/sender.ts";
import type { VapidKeys } from "./vapid.ts";

export type ProviderConfig = Static<TObject<typeof providerSettings>>;

/** Those that are on. */
export interface Senders {
  apns?: Sender<ApnsNotification>;
  fcm?: Sender<FcmNotification>;
  webpush?: Sender<WebPushNotification>;
}

export interface ProviderContext {
  log: Logger;
  /** with which apps of this installation subscribe to Web Push */
  vapid: VapidKeys;
}

export function startSenders(config: ProviderConfig, { log, vapid }: ProviderContext): Senders {
  const problems: string[] = [];
  const collect = <Options>(readOptions: () => Options): Options | undefined => {
    try {
      return readOptions();
    } catch (error) {
      if (error instanceof ConfigError) problems.push(...error.problems);
      else if (error instanceof KeyFileError) problems.push(error.message);
      else throw error;
      return undefined;
    }
  };
  const apns = collect(() => readApns(config));
  const fcm = collect(() => readFcm(config));
  const web = collect(() => readWebPush(config, vapid));
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    ...(apns && { apns: startApnsSender(apns, { log }) }),
    ...(fcm && { fcm: startFcmSender(fcm) }),
    ...(web && { webpush: startWebPushSender(web) }),
  };
}

function readApns(config: ProviderConfig): ApnsOptions | undefined {
  const found = readCredentials(config);
  if (found === undefined) return undefined;
  const { PUSH_APNS_CA_FILE: caFile, PUSH_DEADLINE_MS: deadlineMs, PUSH_APNS_IN_FLIGHT: inFlight } = config;
  const ca = caFile === undefined ? undefined : readAuthorities("PUSH_APNS_CA_FILE", caFile);
  const place = (url: string, production: boolean): ApnsPlace => ({ ...hostOf(url), production, ca });
  const places = { production: place(config.PUSH_APNS_URL, true), sandbox: place(config.PUSH_APNS_SANDBOX_URL, false) };
  return { ...found, places, deadlineMs, inFlight };
}

function readCredentials(config: ProviderConfig): Pick<ApnsOptions, "credentials" | "environments"> | undefined {
  const keys = ["PUSH_APNS_KEY_FILE", "PUSH_APNS_KEY_ID", "PUSH_APNS_TEAM_ID"] as const;
  const certificates = ["PUSH_APNS_CERTIFICATE_FILE", "PUSH_APNS_CERTIFICATE_KEY_FILE"] as const;
  const token = allOrNone(config, keys);
  const certificate = allOrNone(config, certificates);
  if (token && certificate)
    throw new ConfigError([`${keys[0]} and ${certificates[0]} are both set: APNs takes a key or a certificate`]);
  if (token) {
    const [file, keyId, teamId] = token;
    const credentials: ApnsCredentials = { token: { key: readSigningKey(keys[0], file), keyId, teamId } };
    return { credentials, environments: { production: true, sandbox: true } };
  }
  if (!certificate) return undefined;
  const [file, keyFile] = certificate;
  const { environments, ...credentials } = readAppCertificate(certificates[0], file, certificates[1], keyFile);
  return { credentials, environments };
}

function readFcm(config: ProviderConfig): FcmOptions | undefined {
  const { PUSH_FCM_SERVICE_ACCOUNT_FILE: file, PUSH_FCM_URL: url, PUSH_FCM_CA_FILE: caFile } = config;
  if (file === undefined) return undefined;
  const account = readServiceAccount("PUSH_FCM_SERVICE_ACCOUNT_FILE", file);
  if (url === undefined && caFile !== undefined)
    throw new ConfigError(["PUSH_FCM_URL is required with PUSH_FCM_CA_FILE"]);
  const ca = caFile === undefined ? undefined : readAuthorities("PUSH_FCM_CA_FILE", caFile);
  const place: FcmPlace | undefined = url === undefined ? undefined : { ...hostOf(url), ca };
  return { account, place, deadlineMs: config.PUSH_DEADLINE_MS, inFlight: config.PUSH_FCM_IN_FLIGHT };
}

function readWebPush(config: ProviderConfig, vapid: VapidKeys): WebPushOptions | undefined {
  const { PUSH_WEB_SUBJECT: subject, PUSH_WEB_CA_FILE: caFile, PUSH_WEB_ALLOW: allow } = config;
  if (subject === undefined) return undefined;
  const ca = caFile === undefined ? undefined : readAuthorities("PUSH_WEB_CA_FILE", caFile);
  const limits = { deadlineMs: config.PUSH_DEADLINE_MS, inFlight: config.PUSH_WEB_IN_FLIGHT };
  return { vapid: { subject, ...vapid }, guard: createGuard(readNetworks(allow)), ca, ...limits };
}

/** The values of settings that are of use together only. */
function allOrNone<const Names extends readonly (keyof ProviderConfig)[]>(config: ProviderConfig, names: Names) {
  const missing = names.filter((name) => config[name] === undefined);
  if (missing.length === names.length) return undefined;
  const given = names.filter((name) => !missing.includes(name));
  if (missing.length > 0)
    throw new ConfigError(missing.map((name) => `${name} is required with ${given.join(" and ")}`));
  return names.map((name) => String(config[name])) as { [Index in keyof Names]: string };
}

function hostOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 443 : Number(port) };
}
