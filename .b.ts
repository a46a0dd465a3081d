import { benchState, growThousand } from './test/bench/state.ts'; import {benchLogging} from './test/bench/logging.ts';
for (const c of [...await benchState(), ...await benchLogging(growThousand)]) console.log(JSON.stringify(c));
