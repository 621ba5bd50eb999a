// Blobs in files pass the suite of the port.
import { join } from "node:path";
import { blobsConformance } from "../conformance/index.ts";
import { openBlobs } from "../open-blobs.ts";
import { freshFolder } from "../sqlite/open-engine.ts";

blobsConformance("files", async (t) => {
  const storeUrl = `sqlite:${join(await freshFolder(t), "data")}`;
  const open = () => openBlobs({ service: "api", storeUrl });
  return { blobs: await open(), reopen: open };
});
