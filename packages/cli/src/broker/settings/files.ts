// Where the brokers' files are: deploy/ of the repository this parley stands in.
import { readFileSync } from "node:fs";
import { type Hocon, readHocon } from "./hocon.ts";
import { type ConfSetting, readVernemqConf } from "./vernemq-conf.ts";

const deploy = new URL("../../../../../deploy/", import.meta.url);

export function emqxSettings(): Hocon {
  return readHocon(readDeployed("emqx/emqx.conf"));
}

export function vernemqSettings(): ConfSetting[] {
  return readVernemqConf(readDeployed("vernemq/vernemq.conf"));
}

function readDeployed(path: string): string {
  try {
    return readFileSync(new URL(path, deploy), "utf8");
  } catch (cause) {
    throw new Error(
      `deploy/${path} is not there: this parley was installed without Parley's configuration of brokers`,
      {
        cause,
      },
    );
  }
}
