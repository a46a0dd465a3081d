import type { Plugin } from 'rolldown';

type Shortcut = { file: RegExp; before: string | RegExp; after: string };

/** What libraries do at each start, or at each error, that a command has no use for. */
const known: readonly Shortcut[] = [
  {
    // The first comparison by locale loads ICU's tables, which takes half as long as Node's own start.
    file: /@oclif\/core\/lib\/config\/plugin\.js$/,
    before: 'a.id.localeCompare(b.id)',
    after: '(a.id < b.id ? -1 : 1)',
  },
  {
    // gax reads the protos of all error details before it looks whether there are any.
    file: /google-gax\/build\/src\/googleError\.js$/,
    before: 'static parseGRPCStatusDetails(err) {',
    after: '$& if (!err.metadata?.get("grpc-status-details-bin").length) return err;',
  },
  {
    // Of gax's own clients for policies and locations, which nobody asks: a megabyte that each start would read.
    file: /google-gax\/build\/protos\/(?:iam_service|locations)\.js(?:on)?$/,
    before: /^[\s\S]*$/,
    after: 'module.exports = {};',
  },
];

export const shortcuts: Plugin = {
  name: 'shortcuts',
  transform: {
    filter: { id: known.map(({ file }) => file) },
    handler(code, id) {
      const { before, after } = known.find(({ file }) => file.test(id)) ?? { before: '', after: '' };
      const short = code.replace(before, after);
      if (short === code) throw new Error(`${id} does not hold what is to be shortened`);
      return { code: short, moduleType: 'js' };
    },
  },
};
