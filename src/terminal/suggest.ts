import { distance } from 'fastest-levenshtein';

/** The known word that was probably meant: at most a third of it mistyped. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const d = distance(word, candidate);
    if (d <= Math.max(1, Math.floor(candidate.length / 3)) && (!best || d < best.distance)) {
      best = { word: candidate, distance: d };
    }
  }
  return best?.word;
}
