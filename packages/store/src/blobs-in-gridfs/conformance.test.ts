// Blobs in GridFS pass the suite of the port.
import { hasMongo, testMongo } from "@parley/testkit";
import { blobsConformance } from "../conformance/index.ts";
import { openBlobs } from "../open-blobs.ts";

if (hasMongo())
  blobsConformance("GridFS", async (t) => {
    const mongo = await testMongo(t);
    if (!mongo) throw new Error("no MongoDB here");
    const open = async () => {
      const blobs = await openBlobs({ service: "api", storeUrl: mongo.url });
      t.after(() => blobs.close());
      return blobs;
    };
    return { blobs: await open(), reopen: open };
  });
