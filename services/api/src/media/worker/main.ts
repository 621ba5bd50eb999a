// The process that looks at one file: stdin is the file, stdout what it found as a line of JSON, then the thumbnail's bytes,
// or of sound what was measured as a second line, so that the first one counts where that takes too long.
// Only the libraries that this kind of file needs are loaded: a process is started for each file.
import { TooLarge } from "./too-large.ts";

const [kind = "", type = "", pixelsMax = "0"] = process.argv.slice(2);
// Whoever asked has died: nobody waits for the answer.
const orphaned = () => process.exit(1);
process.once("disconnect", orphaned);

try {
  const { thumbnail, ...found } = await look();
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (thumbnail) process.stdout.write(thumbnail);
  if (kind === "sound") await measure();
} catch (error) {
  const failed = error instanceof TooLarge ? "too_large" : "unreadable";
  process.stdout.write(`${JSON.stringify({ failed })}\n`);
}
process.off("disconnect", orphaned);
process.disconnect();

async function look() {
  if (kind === "picture") {
    const { lookAtPicture } = await import("./picture.ts");
    return lookAtPicture("/dev/stdin", type, Number(pixelsMax));
  }
  const { lookAtSound } = await import("./sound.ts");
  // What one parser does not understand another may.
  return { ...(await lookAtSound("/dev/stdin", type).catch(() => ({}))), thumbnail: undefined };
}

async function measure() {
  const { measureSound } = await import("./packets.ts");
  const measured = await measureSound("/dev/stdin").catch(() => undefined);
  if (measured) process.stdout.write(`${JSON.stringify(measured)}\n`);
}
