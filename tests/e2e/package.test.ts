import { resolve } from 'node:path'
import { runtimes } from '../harness/library.ts'
import { scenario } from './scenario.ts'

/** What `npm install criu-ts` gives: the packed package beside the Bun that it depends on. */

const checkout = resolve(import.meta.dir, '../..')

scenario(
  'the package works without its sources: library in Node and Bun, types, program, plugins',
  `npm --prefix ${checkout} pack --silent --pack-destination $dir ${checkout} >out 2>&1 || failed "npm pack"
  mkdir -p user/node_modules user/tests
  tar -xzf criu-ts-*.tgz && mv package user/node_modules/criu-ts
  for name in bun @oven; do ln -s ${checkout}/node_modules/$name user/node_modules/; done
  cp -r ${checkout}/tests/library user/tests/
  package=$dir/user/node_modules/criu-ts
  holds '[ ! -e $package/src ] && [ ! -e $package/tests ]'
  program=$package/bin/criu
  works --version
  refuses 'no such process' dump -t 4000000
  begin memory large
  for runtime in '${runtimes.Node}' '${runtimes.Bun}'; do
    $runtime user/tests/library/jobs.mjs $pid >out 2>&1 || failed "$runtime"
    whole
  done
  # A plugin in TypeScript, loaded by the bundled engine.
  mount -t tmpfs -o mode=755 none /mnt
  echo 'export default { name: "a" as string, begin(job: { info(text: string): void }) { job.info("here I am") } }' >/mnt/a.ts
  works dump -t $pid -D again -R -v4 -o plugin.log -L /mnt
  grep -q 'here I am' again/plugin.log || failed "the plugin was not loaded"
  whole
  ends
  echo '{"compilerOptions":{"module":"NodeNext","target":"ES2022","strict":true,"noEmit":true,"types":["node"],
    "typeRoots":["${checkout}/node_modules/@types"]},"files":["tests/library/types.ts"]}' >user/tsconfig.json
  echo '{"type":"module"}' >user/package.json
  (cd user && ${checkout}/node_modules/.bin/tsc) >out || failed "types"
`,
  120,
)
