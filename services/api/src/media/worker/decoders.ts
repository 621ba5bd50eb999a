// Decoders of sound that need no other program: Opus and MP3 in WebAssembly, and PCM, which is sound already.

/** Samples from -1 to 1, a list for each channel. */
export interface Samples {
  channels: readonly ArrayLike<number>[];
  /** a second */
  rate: number;
}

export interface Decoder {
  decode(packet: Uint8Array): Samples;
  free(): void;
}

export interface Form {
  codec: string | null;
  channels: number;
  rate: number;
}

type Read = (bytes: DataView, at: number) => number;
const pcm: ReadonlyMap<string, [bytes: number, read: Read]> = new Map([
  ["pcm-u8", [1, (bytes, at) => (bytes.getUint8(at) - 128) / 128]],
  ["pcm-s16", [2, (bytes, at) => bytes.getInt16(at, true) / 32_768]],
  ["pcm-s24", [3, (bytes, at) => (bytes.getInt16(at + 1, true) + bytes.getUint8(at) / 256) / 32_768]],
  ["pcm-s32", [4, (bytes, at) => bytes.getInt32(at, true) / 2_147_483_648]],
  ["pcm-f32", [4, (bytes, at) => bytes.getFloat32(at, true)]],
]);

/** undefined: there is none for this sound. */
export async function openDecoder({ codec, channels, rate }: Form): Promise<Decoder | undefined> {
  if (codec === "opus" && channels <= 2) {
    const { OpusDecoder } = await import("opus-decoder");
    return ready(new OpusDecoder({ channels }), (decoder, packet) => decoder.decodeFrame(packet));
  }
  if (codec === "mp3") {
    const { MPEGDecoder } = await import("mpg123-decoder");
    return ready(new MPEGDecoder(), (decoder, packet) => decoder.decode(packet));
  }
  const form = codec === null ? undefined : pcm.get(codec);
  return form && { decode: (packet) => readPcm(packet, form, channels, rate), free: () => undefined };
}

interface InWebAssembly {
  ready: Promise<void>;
  free(): void;
}

async function ready<D extends InWebAssembly>(
  decoder: D,
  decode: (decoder: D, packet: Uint8Array) => { channelData: Float32Array[]; sampleRate: number },
): Promise<Decoder> {
  await decoder.ready;
  return {
    decode(packet) {
      const { channelData: channels, sampleRate: rate } = decode(decoder, packet);
      return { channels, rate };
    },
    free: () => decoder.free(),
  };
}

function readPcm(packet: Uint8Array, [bytes, read]: [number, Read], channels: number, rate: number): Samples {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const length = Math.floor(packet.byteLength / (bytes * channels));
  const channelOf = (channel: number) =>
    Float32Array.from({ length }, (_, index) => read(view, (index * channels + channel) * bytes));
  return { channels: Array.from({ length: channels }, (_, channel) => channelOf(channel)), rate };
}
