// The process that looks at one file: stdin is the file, stdout what it found as a line of JSON, then the thumbnail's bytes.
import { AppError } from "@parley/protocol";
import { lookAtPicture } from "./picture.ts";
import { lookAtSound } from "./sound.ts";

const [kind = "", type = "", pixelsMax = "0"] = process.argv.slice(2);
// Whoever asked has died: nobody waits for the answer.
const orphaned = () => process.exit(1);
process.once("disconnect", orphaned);

try {
  const { thumbnail, ...found } =
    kind === "picture"
      ? await lookAtPicture("/dev/stdin", type, Number(pixelsMax))
      : { ...(await lookAtSound("/dev/stdin", type)), thumbnail: undefined };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (thumbnail) process.stdout.write(thumbnail);
} catch (error) {
  const failed = error instanceof AppError && error.code === "too_large" ? "too_large" : "unreadable";
  process.stdout.write(`${JSON.stringify({ failed })}\n`);
}
process.off("disconnect", orphaned);
process.disconnect();
