// What a login is answered with, however it was made.
import Type from "typebox";
import { AnyClientId, Uid } from "../ids.ts";

/** All that a stock MQTT client needs to chat. */
export const Session = Type.Object({
  uid: Uid,
  token: Type.String(),
  refreshToken: Type.String(),
  expiresAt: Type.Integer({ description: "of the token, unix ms" }),
  clientId: AnyClientId,
  clientid: Type.Optional(Type.String({ description: "the same, where the login was a Client object" })),
  ticket: Type.Optional(Type.String({ description: "the token, where the login was a Client object" })),
  mqtt: Type.Object({
    host: Type.String(),
    port: Type.Integer(),
    ws: Type.String(),
    username: Type.String(),
    password: Type.String(),
  }),
  topics: Type.Object({
    publish: Type.Object({
      msg: Type.String(),
      receipt: Type.String(),
      state: Type.String(),
      typing: Type.String(),
      rpc: Type.String(),
    }),
    subscribe: Type.Array(Type.String()),
  }),
});
