import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manPage } from './docs/man-page.ts'
import { optionsPage } from './docs/options-page.ts'

/** `npm run docs`: the pages that are made from the table of options. A unit test says if they are old. */
const docs = join(import.meta.dir, '../docs')
writeFileSync(join(docs, 'options.md'), optionsPage())
writeFileSync(join(docs, 'criu.8'), manPage())
