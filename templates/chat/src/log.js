/** One JSON line: Cloud Run makes a structured entry of it and takes the severity over. */
export function log(severity, message, more = {}) {
  const line = {
    severity,
    message,
    logger: 'chat.startup',
    service: 'chat',
    timestamp: new Date().toISOString(),
    ...more,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
