import { resolve } from 'node:path'
import { scenario } from '../e2e/scenario.ts'

const checkout = resolve(import.meta.dir, '../..')
let built: Promise<void> | undefined

/** The library as Node has it, of the present sources. */
export function buildLibrary(): Promise<void> {
  built ??= Bun.$`bash scripts/build-lib.sh lib`
    .cwd(checkout)
    .quiet()
    .then(() => {})
  return built
}

/** Both runtimes that the library is for, as commands. */
export const runtimes = {
  Node: 'node',
  Bun: `${checkout}/node_modules/.bin/bun --no-env-file`,
} as const

/**
 * A scenario for each runtime. `run FILE ARGUMENT...` runs a module of tests/library or, with a path from
 * the checkout, another one, by the command in $under if there is one; `run_background` leaves its pid in
 * $runner.
 */
export function libraryScenario(title: string, script: string, seconds = 90): void {
  for (const [name, command] of Object.entries(runtimes)) {
    const functions = `
      export CRIU_PROGRAM=$CRIU
      under=
      place() { case $1 in */*) echo ${checkout}/$1 ;; *) echo ${checkout}/tests/library/$1 ;; esac; }
      run() { $under ${command} "$(place $1)" "\${@:2}" >out 2>&1 || failed "$1 ended with $?"; }
      run_background() { ${command} "$(place $1)" "\${@:2}" >out 2>&1 & runner=$!; }
    `
    scenario(`${title} (${name})`, functions + script, seconds, buildLibrary)
  }
}
