const newline = 0x0a;

/** Cloud Logging's limit for one entry. */
const maximumLineBytes = 256 * 1024;

export type LineSplitter = { push(chunk: Buffer): void; end(): void };

/**
 * Cuts a byte stream into lines, holding never more than `limit` bytes. A longer line is handed on in pieces, none of
 * which ends within a UTF-8 character. Lines are valid only during the call.
 */
export function lineSplitter(emit: (line: Buffer) => void, limit = maximumLineBytes): LineSplitter {
  let held = Buffer.alloc(0);
  let size = 0;

  const flush = () => {
    if (size > 0) emit(held.subarray(0, size));
    size = 0;
  };

  const hold = (piece: Buffer) => {
    if (held.length === 0) held = Buffer.allocUnsafe(limit);
    let rest = piece;
    while (size + rest.length > limit) {
      const taken = limit - size;
      rest.copy(held, size, 0, taken);
      rest = rest.subarray(taken);
      const end = continues(rest[0]) ? lastCharacter(held) : limit;
      emit(held.subarray(0, end));
      held.copyWithin(0, end, limit);
      size = limit - end;
    }
    rest.copy(held, size);
    size += rest.length;
  };

  return {
    push(chunk) {
      let start = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
        const line = chunk.subarray(start, at);
        if (size === 0 && line.length <= limit) {
          if (line.length > 0) emit(line);
        } else {
          hold(line);
          flush();
        }
        start = at + 1;
      }
      if (start < chunk.length) hold(chunk.subarray(start));
    },
    end: flush,
  };
}

/** Where the last character of a full buffer begins; its end if the last bytes are no beginning of one. */
function lastCharacter(bytes: Buffer): number {
  const longest = 4;
  for (let at = bytes.length - 1; at > bytes.length - longest && at > 0; at--) {
    if (!continues(bytes[at])) return at;
  }
  return bytes.length;
}

/** Whether a byte continues a UTF-8 character. */
function continues(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

export type FloodLimits = {
  burstLines: number;
  linesPerSecond: number;
  burstBytes: number;
  bytesPerSecond: number;
};

/** Far above what a service says, far below what a runaway loop prints. */
const floodLimits: FloodLimits = {
  burstLines: 20_000,
  linesPerSecond: 2_000,
  burstBytes: 16 * 1024 * 1024,
  bytesPerSecond: 1024 * 1024,
};

export type FloodGate = {
  /** Whether a line of so many bytes may pass; counts it as dropped when not. */
  admit(bytes: number): boolean;
  /** What was dropped since the last call, at most once a second unless it is the last. */
  dropped(last?: boolean): { lines: number; bytes: number } | undefined;
};

/** A token bucket over lines and bytes. `now` is in milliseconds. */
export function floodGate(now: () => number, limits: FloodLimits = floodLimits): FloodGate {
  let lines = limits.burstLines;
  let bytes = limits.burstBytes;
  let filledAt = now();
  let reportedAt = -Infinity;
  let lost = { lines: 0, bytes: 0 };

  return {
    admit(size) {
      const time = now();
      const seconds = (time - filledAt) / 1000;
      filledAt = time;
      lines = Math.min(limits.burstLines, lines + seconds * limits.linesPerSecond);
      bytes = Math.min(limits.burstBytes, bytes + seconds * limits.bytesPerSecond);
      if (lines < 1 || bytes < size) {
        lost = { lines: lost.lines + 1, bytes: lost.bytes + size };
        return false;
      }
      lines -= 1;
      bytes -= size;
      return true;
    },
    dropped(last = false) {
      if (lost.lines === 0 || (!last && now() - reportedAt < 1000)) return undefined;
      const report = lost;
      lost = { lines: 0, bytes: 0 };
      reportedAt = now();
      return report;
    },
  };
}
