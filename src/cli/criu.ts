import { engine } from './engine.ts'
import { standardIo } from './io.ts'
import { main } from './main.ts'

/**
 * The program. It ends the process itself: no handle of the runtime may keep it waiting. No `await`
 * here: bytecode, which makes the start fast, is for modules without one at their top.
 */
main(process.argv.slice(2), engine, standardIo).then((code) => process.exit(code))
