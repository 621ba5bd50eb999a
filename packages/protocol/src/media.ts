// What is known of a picture, a film or a sound: one form, in a message's content and in what the server found out of a file.
import Type from "typebox";

/** As PNG counts at most. */
export const Pixels = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: "pixels, turned as it is seen" });
export const Ms = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
export const loudestBar = 255;
export const Waveform = Type.Array(Type.Integer({ minimum: 0, maximum: loudestBar }), {
  maxItems: 256,
  description: "loudness, from begin to end",
});

/** Of a small picture that stands for it. */
export const thumbnailFields = {
  url: Type.String({ maxLength: 2_048, description: "where its bytes are; for an attachment a path of the server" }),
  mime: Type.String({ maxLength: 128, description: "media type" }),
  width: Pixels,
  height: Pixels,
  size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "bytes" }),
};
