import { flag, section, text } from './text.ts';

export const SchemaNote = section({
  version: text('text such as "12"').describe('The version of the schema, in your own counting.'),
  note: text()
    .describe('What its change does, for whoever wants to go back: drops users.name.')
    .exactOptional(),
  backwardsCompatible: flag()
    .describe('false: what ran before does not work with this schema, so a rollback past it is refused.')
    .exactOptional(),
}).describe('The database schema that the code needs.');
