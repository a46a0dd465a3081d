import type { LogSink } from '../contracts.ts';
import type { StorageBackend } from '../storage/index.ts';
import type { BuildRecord } from './record.ts';

const maxLogBytes = 8 * 1024 * 1024;
const flushMs = 200;

/** A build's log: lines become entries, and an object that grows while the build runs. */
export type BuildLog = {
  line(text: string): void;
  /** Resolves when the object holds everything. */
  close(): Promise<void>;
};

/** `logsBucket` is `BUCKET[/FOLDER]`. */
export function logObjectOf(logsBucket: string, id: string): { bucket: string; object: string } {
  const [bucket = '', ...folders] = logsBucket.split('/');
  return { bucket, object: [...folders, `log-${id}.txt`].join('/') };
}

export function openBuildLog(
  record: BuildRecord,
  to: { storage: StorageBackend; logs: LogSink; cloudLogging: boolean },
): BuildLog {
  const { id, project, location, logsBucket } = record;
  const entry = {
    logName: `projects/${project}/logs/cloudbuild`,
    resource: {
      type: 'build',
      labels: { build_id: id, project_id: project, location, build_trigger_id: '' },
    },
    severity: 'INFO',
  };
  const chunks: Buffer[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();

  async function writeObject(): Promise<void> {
    if (logsBucket === undefined) return;
    const { bucket, object } = logObjectOf(logsBucket, id);
    await to.storage.writeObject(bucket, object, Buffer.concat(chunks), {
      contentType: 'text/plain; charset=utf-8',
    });
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // A log that cannot be written does not fail its build.
    writing = writing.then(writeObject).catch(() => {});
    return writing;
  }

  return {
    line(text) {
      if (bytes > maxLogBytes) return;
      const line = Buffer.from(`${text}\n`);
      bytes += line.length;
      const shown = bytes > maxLogBytes ? Buffer.from('(the log is cut here)\n') : line;
      chunks.push(shown);
      if (to.cloudLogging) to.logs.write({ ...entry, textPayload: shown.toString().slice(0, -1) });
      timer ??= setTimeout(flush, flushMs);
    },
    close: flush,
  };
}
