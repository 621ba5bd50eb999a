// deploy/Dockerfile read: what its last stage tells whoever starts the image, and the steps of each stage.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DockerfileParser, type Env, type From, type Instruction } from "dockerfile-ast";

const file = join(import.meta.dirname, "../../../deploy/Dockerfile");

export interface Step {
  keyword: string;
  /** what follows the keyword, continued lines joined */
  text: string;
  /** `--from` of COPY */
  from?: string;
}

export interface Stage {
  name?: string;
  base: string;
  steps: Step[];
}

export interface Image {
  env: Record<string, string>;
  entrypoint: string[];
  healthcheck: string[];
  user: string;
  stages: Stage[];
}

/** The image that a Dockerfile makes. */
export function readDockerfile(text = readFileSync(file, "utf8")): Image {
  const image: Image = { env: {}, entrypoint: [], healthcheck: [], user: "", stages: [] };
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction.getKeyword().toUpperCase() === "FROM") beginStage(image, instruction as From);
    else addStep(image, instruction);
  }
  return image;
}

// A stage has what its base has, and neither of ours tells anything.
function beginStage(image: Image, from: From): void {
  const name = from.getBuildStage();
  image.stages.push({ base: from.getImage() ?? "", steps: [], ...(name ? { name } : {}) });
  Object.assign(image, { env: {}, entrypoint: [], healthcheck: [], user: "" });
}

function addStep(image: Image, instruction: Instruction): void {
  const keyword = instruction.getKeyword().toUpperCase();
  const text = instruction.getRawArgumentsContent()?.replaceAll(/\\\n\s*/g, " ") ?? "";
  const from = /--from=(\S+)/.exec(instruction.getTextContent())?.[1];
  image.stages.at(-1)?.steps.push({ keyword, text, ...(from === undefined ? {} : { from }) });
  if (keyword === "USER") image.user = text;
  if (keyword === "ENTRYPOINT") image.entrypoint = JSON.parse(text);
  if (keyword === "HEALTHCHECK") image.healthcheck = JSON.parse(/CMD\s+(\[.*\])/.exec(text)?.[1] ?? "[]");
  if (keyword !== "ENV") return;
  for (const property of (instruction as Env).getProperties())
    image.env[property.getName()] = property.getValue() ?? "";
}
