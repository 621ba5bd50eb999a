// ASSChat, Channel Cmd: what a device asks for, on `ass/s/…`.
import Type, { type Static, type TProperties } from "typebox";
import { checkOf } from "../../../check.ts";
import { decodeObject } from "../../../codec.ts";
import { AppError } from "../../../errors.ts";
import { RequestId, Uid } from "../../../ids.ts";

const strict = { additionalProperties: false } as const;
const ChId = Type.String({ minLength: 1, maxLength: 128 });
const User = Type.Object(
  {
    user_id: Uid,
    mode: Type.Optional(Type.Integer({ minimum: 0, maximum: 7, description: "bits: read, write, push" })),
    user_name: Type.Optional(Type.String({ description: "not kept: users name themselves" })),
  },
  strict,
);
export type UserEntry = Static<typeof User>;

const asked = {
  req_id: Type.Optional(RequestId),
  want_reply: Type.Optional(Type.Boolean()),
  notify_change: Type.Optional(Type.Boolean({ description: "whatever it says, all users are told" })),
};

function request<Fields extends TProperties>(fields: Fields) {
  return checkOf(Type.Object({ ...asked, ...fields }, strict));
}

const Query = Type.String({ minLength: 1 });

const checks = {
  ch_create: request({
    ch_id: Type.Optional(ChId),
    ch_name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    users: Type.Optional(Type.Array(User)),
    persis: Type.Optional(Type.Boolean()),
  }),
  ch_search: request({ query: Query }),
  ch_delete: request({ ch_id: ChId }),
  ch_users_update: request({ ch_id: ChId, users: Type.Array(User, { minItems: 1 }) }),
  ch_users_search: request({ query: Query }),
  ch_users_delete: request({ ch_id: ChId, users: Type.Array(Uid, { minItems: 1 }) }),
  push_token_reg: request({
    push_target: Type.String({ maxLength: 16, description: "APNS or FCM" }),
    device_token: Type.String({ minLength: 1, maxLength: 4_096 }),
    app_id: Type.Optional(Type.String({ maxLength: 128, description: "not of the page: default the server's own" })),
  }),
  push_token_unreg: request({}),
};

export type Verb = keyof typeof checks;
export type Request<V extends Verb> = Exclude<ReturnType<(typeof checks)[V]>, AppError>;

export function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(checks, verb);
}

export function noSuchVerb(verb: string): AppError {
  return new AppError("not_found", `there is no ${verb.slice(0, 64)}: ${Object.keys(checks).join(", ")}`);
}

/** Throws the refusal. */
export function readRequest<V extends Verb>(verb: V, payload: Uint8Array): Request<V> {
  const object = decodeObject(payload);
  const read = object instanceof AppError ? object : checks[verb](object);
  if (read instanceof AppError) throw read;
  return read as Request<V>;
}
