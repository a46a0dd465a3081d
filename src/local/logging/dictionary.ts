import type { z } from 'zod';
import { storedEntrySchema } from './entry.ts';
import { parseJson } from './json.ts';

const channelSchema = storedEntrySchema.pick({ logName: true, severity: true });
const { resource: resourceSchema } = storedEntrySchema.shape;

/** What many entries have in common. There are few of each, so a row holds their numbers. */
export type Channel = z.output<typeof channelSchema>;
export type Resource = z.output<typeof resourceSchema>;
export type Dictionaries = { channels: Dictionary<Channel>; resources: Dictionary<Resource> };

export function makeDictionaries(): Dictionaries {
  return { channels: new Dictionary(channelSchema), resources: new Dictionary(resourceSchema) };
}

export const channelText = ({ logName, severity }: Channel) => JSON.stringify({ logName, severity });
export const resourceText = (resource: Resource) => JSON.stringify(resource);

const maxCharacters = 32 * 1024 * 1024;

/** Numbers JSON texts in the order of their arrival, and parses one when it is first looked at. */
export class Dictionary<Value> {
  private readonly schema: z.ZodType<Value>;
  private readonly numbers = new Map<string, number>();
  private readonly terms: { text: string; value?: Value | undefined }[] = [];
  private characters = 0;

  constructor(schema: z.ZodType<Value>) {
    this.schema = schema;
  }

  get count(): number {
    return this.terms.length;
  }

  /** When it is full all that is new has one number, behind which stands nothing. */
  numberOf(text: string): number {
    const there = this.numbers.get(text);
    if (there !== undefined) return there;
    this.characters += text.length;
    if (this.characters > maxCharacters && text !== '') return this.numberOf('');
    const number = this.terms.push({ text }) - 1;
    this.numbers.set(text, number);
    return number;
  }

  textOf(number: number): string {
    return this.terms[number]?.text ?? '';
  }

  /** undefined: not known. */
  at(number: number): Value | undefined {
    const term = this.terms[number];
    if (!term || term.text === '') return undefined;
    term.value ??= this.schema.safeParse(parseJson(term.text)).data;
    return term.value;
  }
}
