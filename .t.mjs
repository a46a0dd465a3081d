import {enableCompileCache,flushCompileCache} from 'node:module';enableCompileCache();
import {createRequire} from 'node:module'; const require=createRequire(import.meta.url);
for(const m of process.argv.slice(3)) { if(m.startsWith('r:')) require(m.slice(2)); else await import(m);} 
const c=()=>{const u=process.cpuUsage();return (u.user+u.system)/1000};
const before=c(); const t=performance.now();
{const m=process.argv[2]; if(m.startsWith('r:')) require(m.slice(2)); else if(m!=='-') await import(m);}
console.log((performance.now()-t).toFixed(1)); flushCompileCache();
