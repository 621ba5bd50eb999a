// The OpenAPI page at /docs, all of it served from here.
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { openApiDocument } from "@parley/protocol/documents";
import type { FastifyInstance } from "fastify";

export async function addDocs(server: FastifyInstance): Promise<void> {
  const document = openApiDocument();
  await server.register(swagger, { mode: "static", specification: { document: document as never } });
  await server.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: true,
    // It would have a browser load the page's parts over HTTPS from a host that serves HTTP.
    transformStaticCSP: (policy) => policy.replace(/ ?upgrade-insecure-requests;?/, ""),
    uiConfig: { docExpansion: "list", deepLinking: true, validatorUrl: null, persistAuthorization: true },
  });
}
