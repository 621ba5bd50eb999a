// The image's health check: is the service in this container ready? It is told the port as the service is, by the environment.
const ports = new Set(
  Object.entries(process.env)
    .filter(([key]) => key.endsWith("_HEALTH_PORT"))
    .map(([, port]) => port),
);

async function reasonNotReady(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(4_000) });
    return response.ok ? undefined : await response.text();
  } catch (error) {
    return `port ${port}: ${error.cause?.code ?? error.message}`;
  }
}

// The image names one port for every service; a service that was given another one answers there.
const reasons = await Promise.all([...ports].map(reasonNotReady));
if (!reasons.includes(undefined)) {
  process.stdout.write(`${reasons.join("; ").trim()}\n`);
  process.exitCode = 1;
}
