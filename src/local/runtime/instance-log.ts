import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { LogSink, NewLogEntry, RunnableRevision } from '../contracts.ts';
import { floodGate, lineSplitter } from './lines.ts';
import { parseLine, revisionResource, runLogName } from './log-lines.ts';
import { droppedLine, type SystemLine } from './system-lines.ts';

export type InstanceLog = {
  system(line: SystemLine): void;
  /** Makes entries of the lines of a stream, but for those left out; resolves when it has ended. */
  follow(name: 'stdout' | 'stderr', stream: Readable, leaveOut?: (line: string) => boolean): Promise<void>;
};

/** Where everything goes that one instance says, and that is said of it. */
export function openInstanceLog(logs: LogSink, revision: RunnableRevision, instanceId: string): InstanceLog {
  const resource = revisionResource(revision);
  const gate = floodGate(() => performance.now());

  const write = (log: Parameters<typeof runLogName>[1], entry: Omit<NewLogEntry, 'logName' | 'resource'>) =>
    logs.write({
      timestamp: new Date(),
      ...entry,
      logName: runLogName(revision.project, log),
      resource,
      labels: { ...entry.labels, instanceId },
    });

  const system = ({ severity, text }: SystemLine) => write('varlog/system', { severity, textPayload: text });

  const reportDropped = (last: boolean) => {
    const dropped = gate.dropped(last);
    if (dropped) system(droppedLine(dropped));
  };

  return {
    system,
    async follow(name, stream, leaveOut = () => false) {
      const lines = lineSplitter((line) => {
        if (!gate.admit(line.length)) return;
        const text = line.toString('utf8');
        if (!leaveOut(text)) write(name, parseLine(text, new Date()));
      });
      stream.on('data', (chunk: Buffer) => {
        lines.push(chunk);
        reportDropped(false);
      });
      // A pipe that breaks ends as well.
      stream.on('error', () => undefined);
      await once(stream, 'close');
      lines.end();
      reportDropped(true);
    },
  };
}
