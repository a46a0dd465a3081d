/** What several ask for is done once; the first one's question counts. */
export function once<A extends unknown[], T>(make: (...first: A) => Promise<T>): (...asked: A) => Promise<T> {
  let made: Promise<T> | undefined;
  return (...asked) => {
    made ??= make(...asked);
    return made;
  };
}
