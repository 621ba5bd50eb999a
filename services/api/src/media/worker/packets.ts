// How long a recording is, by its packets, whatever its header says: who records live does not know. Its waveform, where it can be decoded here.
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from "mediabunny";
import type { Sound } from "../made.ts";
import { openWaveform, type Waveform } from "../waveform.ts";
import { type Decoder, openDecoder, type Samples } from "./decoders.ts";

/** Each time so many packets were decoded (of Opus 5 minutes) twice as many are left out from then on. */
const decodedBeforeFewer = 15_000;
/** Those that are decoded are so many in a row, as the first of them may need those before. */
const inARow = 8;
/** As long as ffmpeg is let decode. */
const secondsMax = 4 * 60 * 60;
const drawnSeconds = 1 / 40;

/** undefined: no sound was found in it. Throws what parsers throw. */
export async function measureSound(path: string): Promise<Sound | undefined> {
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  try {
    if (!(await input.canRead())) return undefined;
    const track = await input.getPrimaryAudioTrack();
    if (!track) return undefined;
    const form = {
      codec: await track.getCodec(),
      channels: await track.getNumberOfChannels(),
      rate: await track.getSampleRate(),
    };
    const decoder = await openDecoder(form);
    try {
      return await listen(new EncodedPacketSink(track), decoder);
    } finally {
      decoder?.free();
    }
  } finally {
    input.dispose();
  }
}

async function listen(sink: EncodedPacketSink, decoder: Decoder | undefined): Promise<Sound | undefined> {
  const waveform = openWaveform();
  let [first, end, decoded, every] = [Number.POSITIVE_INFINITY, 0, 0, 1];
  let index = 0;
  for await (const { timestamp, duration, data } of sink.packets()) {
    first = Math.min(first, Math.max(0, timestamp));
    end = Math.max(end, timestamp + duration);
    if (decoder && timestamp < secondsMax && Math.floor(index / inARow) % every === 0) {
      draw(waveform, timestamp - first, decoder.decode(data));
      decoded += 1;
      if (decoded % decodedBeforeFewer === 0) every *= 2;
    }
    index += 1;
  }
  if (!(end > first)) return undefined;
  const { durationMs, ...drawn } = waveform.result(end - first);
  return { ...(durationMs === undefined ? {} : { durationMs }), ...(decoded > 0 ? drawn : {}) };
}

// As one channel, which is the mean of all; a few times in a step of the waveform, as a packet may be longer than one.
function draw(waveform: Waveform, begin: number, { channels, rate }: Samples): void {
  const length = channels[0]?.length ?? 0;
  const stretch = Math.ceil(rate * drawnSeconds);
  for (let from = 0; from < length; from += stretch) {
    let loudest = 0;
    for (let index = from; index < Math.min(length, from + stretch); index += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[index] ?? 0;
      loudest = Math.max(loudest, Math.abs(sum));
    }
    waveform.add(Math.max(0, begin + from / rate), loudest / channels.length);
  }
}
