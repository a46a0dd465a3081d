import type { FindingCategory } from './profile.ts';

/** What a known line looks like, and what it means. */
export type Signature = {
  category: FindingCategory;
  pattern: RegExp;
  /** The cause, where the line itself says it badly. */
  cause?: (match: RegExpExecArray) => string;
  hint: string;
  fatal?: boolean;
};

const whole = (match: RegExpExecArray): string => match[0];

const importHint =
  'Add what is missing to the image: the dependency to the manifest that the build installs, or the file to the uploaded source (check the ignore files); for a renamed name, correct the import.';
const settingHint = 'Set it for this environment in sluice.yaml (env or secrets), then deploy again.';
const databaseHint =
  'Check that the database runs and is reachable from the revision: the attached Cloud SQL instance, the VPC connector, host, port and credentials.';
const memoryHint = 'Raise container.memory in sluice.yaml, or make the start need less.';

/** The first that matches says what a line shows. */
export const signatures: readonly Signature[] = [
  {
    category: 'import',
    pattern: /\bNo module named '?([\w.]+)'?/,
    cause: (m) => `ModuleNotFoundError: No module named '${m[1]}'`,
    hint: importHint,
  },
  {
    category: 'import',
    pattern: /\bcannot import name '[^']+'(?: from (?:partially initialized module )?'[^']+')?.{0,120}/,
    cause: (m) => `ImportError: ${m[0]}`,
    hint: importHint,
  },
  {
    category: 'import',
    pattern: /\bCannot find (?:module|package) ['"][^'"]+['"]/,
    cause: (m) => `Error: ${m[0]}`,
    hint: importHint,
  },
  { category: 'import', pattern: /\bdoes not provide an export named '?\w+'?/, hint: importHint },
  {
    category: 'import',
    pattern:
      /\brequire\(\) of ES Module \S+|\bCannot use import statement outside a module|\bUnknown file extension "\S+"/,
    hint: 'Match the module kind: "type" in package.json, or the file extension.',
  },
  {
    category: 'import',
    pattern: /\bcannot load such file -- (\S+)/,
    cause: (m) => `LoadError: cannot load such file -- ${m[1]}`,
    hint: importHint,
  },
  {
    category: 'import',
    pattern: /\bCould not find (?:gem '\S+|[\w-]+-\d[\w.]*(?:, [\w-]+-\d[\w.]*)*) in .{0,80}/,
    hint: importHint,
  },
  {
    category: 'import',
    pattern: /\b(?:java\.lang\.)?(?:ClassNotFoundException|NoClassDefFoundError|NoSuchMethodError): \S+/,
    cause: whole,
    hint: importHint,
  },
  { category: 'import', pattern: /\bCould not load file or assembly '[^']+'/, hint: importHint },
  {
    category: 'import',
    pattern: /\berror while loading shared libraries: .{0,200}/,
    cause: whole,
    hint: importHint,
    fatal: true,
  },
  {
    category: 'import',
    pattern: /\bClass "[^"]+" not found|\bFailed opening required '[^']+'/,
    hint: importHint,
  },
  {
    category: 'import',
    pattern: /\bNameError: name '\w+' is not defined|\bname '\w+' is not defined/,
    cause: (m) => (m[0].startsWith('NameError') ? m[0] : `NameError: ${m[0]}`),
    hint: 'Import the name where it is used.',
  },
  {
    category: 'import',
    pattern:
      /\b(?:could not|Failed to|Error) (?:find|import|load)(?:ing)? (?:or load )?(?:main class|ASGI app|application|module) .{0,200}/i,
    hint: importHint,
  },
  {
    category: 'import',
    pattern: /\b\w*(?:ImportError|ModuleNotFoundError): .+|\bFailed to find attribute '\w+' in '\S+'/,
    cause: whole,
    hint: importHint,
  },
  {
    category: 'import',
    pattern:
      /^(?:(?:\/bin\/)?(?:ba|a|da)?sh|\/\S+): .{0,160}: (?:command )?not found$|\bMissing script: "[^"]+"/,
    hint: 'Install the program in the image, or correct the start command.',
  },
  {
    category: 'memory',
    pattern: /\bMemory limit of .{1,40} exceeded.{0,80}/i,
    hint: memoryHint,
    fatal: true,
  },
  {
    category: 'memory',
    pattern:
      /\bJavaScript heap out of memory|\bjava\.lang\.OutOfMemoryError.{0,80}|\bruntime: out of memory.{0,80}|\bOutOfMemoryException|\bOut of memory: Killed process|\bMemoryError\b|\bOOMKilled\b|\bPerhaps out of memory|\bstd::bad_alloc|\bmemory allocation of \d+ bytes failed|\bAllowed memory size of \d+ bytes exhausted/,
    hint: memoryHint,
    fatal: true,
  },

  {
    category: 'port',
    pattern: /\bEADDRINUSE\b.{0,80}|\baddress already in use.{0,80}|\bPort \d+ (?:was|is) already in use/i,
    hint: 'Listen once, on $PORT only.',
  },
  {
    category: 'port',
    pattern: /\blisten EACCES\b.{0,80}|\bbind\(\) to \S+ failed.{0,80}|\bbind: permission denied/,
    hint: 'Listen on $PORT (8080 unless configured), on 0.0.0.0.',
  },
  {
    category: 'port',
    pattern: /\bfailed to start and (?:then )?listen on the port(?:.{0,60}?\bPORT=(\d+))?.{0,160}/i,
    cause: (m) =>
      `The container failed to start and listen on ${m[1] === undefined ? 'its port' : `port ${m[1]}`} within the allocated timeout`,
    hint: 'Listen on 0.0.0.0:$PORT before the startup probe gives up; see the lines before for what kept it.',
    fatal: true,
  },

  {
    category: 'setting',
    pattern: /\bKeyError: ['"][A-Z][A-Z0-9_]{2,}['"]|\bkey not found: "[A-Z][A-Z0-9_]+"/,
    cause: whole,
    hint: settingHint,
  },
  {
    category: 'setting',
    pattern:
      /\b(?:[Ee]nvironment variable|[Ee]nv(?:ironment)? var|[Cc]onfig(?:uration)? (?:key|value)|[Ss]etting)s?:? ['"`]?[A-Z][A-Z0-9_]{2,}['"`]? (?:is |was |must be |are )?(?:not (?:set|found|defined|configured)|missing|required|undefined|empty|set$)/,
    hint: settingHint,
  },
  {
    category: 'setting',
    pattern:
      /\b(?:[Mm]issing|[Rr]equired|[Uu]nset|[Uu]ndefined|[Ii]nvalid|[Ss]et the)(?: (?:required|mandatory|or invalid))? (?:[Ee]nv(?:ironment)?(?: variable| var)?|[Ss]etting|[Cc]onfig(?:uration)?(?: key| value)?|[Ss]ecret)s?\b:? ?(?:\W{0,3}[A-Z][A-Z0-9_.]{2,}).{0,160}/,
    hint: settingHint,
  },
  {
    category: 'setting',
    pattern:
      /(?<![\w$])[A-Z][A-Z0-9]*_[A-Z0-9_]+['"`]? (?:environment variable )?(?:is (?:required|missing|undefined|empty|not (?:set|defined|configured))|must be (?:set|provided|configured|defined)|(?:was )?not (?:set|found|defined|configured)\b)/,
    hint: settingHint,
  },
  {
    category: 'setting',
    pattern:
      /\bCould not resolve placeholder '[^']+'.{0,80}|\bFailed to configure a DataSource.{0,120}|\brequired a bean of type '[^']+' that could not be found|\bmissing value for required option.{0,80}|\b(?:missing|required) (?:key|field) .{0,40}[A-Z][A-Z0-9]*_[A-Z0-9_]+/,
    hint: settingHint,
  },
  {
    category: 'setting',
    pattern: /\bvalidation errors? for \w*(?:Settings|Config|Env)\w*.*/,
    hint: settingHint,
  },
  { category: 'setting', pattern: /\bImproperlyConfigured: .+/, cause: whole, hint: settingHint },
  {
    category: 'setting',
    pattern:
      /(?<!\b(?:no|No|0|without) )\b(?:[Mm]issing|[Ii]nvalid) (?:required )?environment variables?\b.{0,160}/,
    hint: settingHint,
  },
  {
    category: 'setting',
    pattern:
      /\bNotPresent\b|\b[Ee]nvironment variables? (?:is |are )?not (?:found|set|defined)|\bmissing field `\w+`|\bconfig(?:uration)? property \S+ is required.{0,80}|\b[Cc]onnection string '[^']*' (?:was )?not found|\bConnectionString property has not been initialized/,
    hint: settingHint,
  },

  {
    category: 'database',
    pattern:
      /\b(?:database|db|postgres\w*|mysql|mongo\w*|redis|sql)\b[\w ]{0,40}\b(?:timeout|timed out|time-out)\b(?!\s*(?:is |of |set )*(?:to |[:=] ?)?\d).*/i,
    cause: whole,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern: /\bconnection to server (?:on socket|at) .{1,200}? failed: .{0,120}/,
    cause: whole,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\bECONNREFUSED\b.{0,80}:(?:5432|3306|1433|1521|6379|27017|26257|9042)\b|\b(?:connect )?ECONNREFUSED \/cloudsql\/\S+/,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\bdial tcp \S+:(?:5432|3306|1433|6379|27017|26257): [^"]{0,80}|\bdial unix \/cloudsql\/\S+ .{0,80}/,
    cause: whole,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\bpassword authentication failed for user.{0,80}|\bAccess denied for user.{0,80}|\bdatabase "[^"]+" does not exist|\brole "[^"]+" does not exist|\bUnknown database '[^']+'|\bsorry, too many clients already|\bno pg_hba\.conf entry.{0,80}|\brelation "[^"]+" does not exist|\bno such table: \w+|\bpool timed out while waiting\b.{0,80}|\bfailed to connect to `(?:host|user)=.{0,200}|\bCloud SQL connection failed\b.{0,400}|\bENO(?:ENT|TSOCK) \/cloudsql\/\S+|\b(?:[Uu]nknown MySQL server host|could not translate host name) .{0,120}/,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\b(?:could not connect to server|Can't reach database server|Communications link failure|Connection is not available, request timed out|Can't connect to (?:local )?(?:MySQL|server)|Unable to connect to (?:the )?database|(?:failed|unable|could not) to (?:connect|open|reach|ping|initialize) (?:to )?(?:the )?(?:\w+ )?(?:database|postgres\w*|mysql|mongo\w*|redis|db)\b).{0,160}/i,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\b(?:MongoServerSelectionError|ServerSelectionTimeoutError|MongoNetworkError|MongooseServerSelectionError|SequelizeConnection\w*Error|PrismaClientInitializationError|ConnectionDoesNotExistError|PSQLException|JDBCConnectionException|SQLTransientConnectionException|CommunicationsException|OperationalError|NpgsqlException|SqlException|PG::ConnectionBad|ConnectionNotEstablished|DBConnection\.ConnectionError|PDOException|SQLSTATE\[\w+\]|ORA-\d{5}|redis\.exceptions\.\w+Error|PoolTimeout|QueuePool limit)(?!\w).*/,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|lookup) \S*(?:db|database|postgres|mysql|maria|sql|redis|mongo)\S*.{0,120}/i,
    hint: databaseHint,
  },
  {
    category: 'database',
    pattern:
      /\b[Cc]onnection to \S+:(?:5432|3306|1433|6379) refused.{0,80}|\bconnect(?:ing)? to \S+:(?:5432|3306|1433|6379)\b.{0,120}(?:refused|timed? ?out(?! ?[=:])|failed)/,
    hint: databaseHint,
  },

  {
    category: 'error',
    fatal: true,
    pattern:
      /\bApplication startup failed\b.{0,40}|\bAPPLICATION FAILED TO START\b|\bApplication run failed\b|\bWorker failed to boot\b|\bApp failed to load\b|\bCRITICAL STARTUP FAILURE\b.*|\bHosting failed to start\b|\b(?:Host|Application) terminated unexpectedly\b|\bUnable to load application\b.{0,160}|\bbundler: failed to load command\b.{0,80}|\bunable to load app \d+\b.{0,80}|\bno python application found\b.{0,60}|\bStartup failed\b.{0,120}|\bFailed to start (?:the )?(?:application|server|service)\b.{0,160}|\bexec format error\b|\bexecutable file not found\b.{0,60}|\bno such file or directory: unknown\b/,
    hint: 'The lines before it say why; the root cause stands at the head of the findings.',
  },
];

/** A word of each signature: a line with none of them is not worth the table. */
export const worthIt =
  /Missing script|ImportError|find attribute|ServerSelection|App failed|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|lookup |missing field|property|onnection string|ENOENT|ENOTSOCK|host name|No module named|: not found|command not found|import |[Cc]annot |Cannot|not provide|ES Module|file extension|Could not|could not|Class|NoSuchMethod|shared libraries|opening required|is not defined|NameError|failed to|Failed to|unable to|Unable to|[Mm]emory|MEMORY|OOMKilled|bad_alloc|EADDRINUSE|already in use|EACCES|bind|listen on|KeyError|key not found|environment|env var|ENV|[Ss]etting|[Cc]onfig|[Ss]ecret|[A-Z0-9]_[A-Z0-9]+['"`]? (?:environment|is|must|was|not)|placeholder|DataSource|bean of type|required|validation error|NotPresent|time(?:d )?[ -]?out|connection to|ECONNREFUSED|dial |authentication failed|Access denied|does not exist|Unknown database|too many clients|pg_hba|no such|Can't|link failure|Connection|OperationalError|Mongo|Sequelize|Prisma|Exception|PG::|SQLSTATE|ORA-|redis\.|Pool|refused|startup failed|STARTUP|FAILED TO START|run failed|to boot|terminated unexpectedly|unable to load|python application|Startup failed|exec format|executable file/;
