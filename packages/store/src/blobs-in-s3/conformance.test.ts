// Blobs in S3 pass the suite of the port, on a server that speaks its protocol.
import { hasS3, startS3 } from "@parley/testkit";
import { blobsConformance } from "../conformance/index.ts";
import { openBlobs } from "../open-blobs.ts";

if (hasS3())
  blobsConformance("S3", async (t) => {
    const { url } = await startS3(t);
    const open = async () => {
      const blobs = await openBlobs({ service: "api", url, storeUrl: "sqlite:unused" });
      t.after(() => blobs.close());
      return blobs;
    };
    return { blobs: await open(), reopen: open };
  });
