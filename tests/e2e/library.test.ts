import { libraryScenario } from '../harness/library.ts'

/** The library, in the runtimes that it is for: modules of tests/library on a subject of the harness. */

libraryScenario(
  'promises: results, progress, log lines, and an event loop that goes on',
  `begin memory large
  run jobs.mjs $pid
  whole
  ends
`,
)

libraryScenario(
  'errors are rebuilt: detail, sentence, cause; wrong options change nothing',
  `begin pipes content
  run errors.mjs $pid
  whole
  ends
`,
)

libraryScenario(
  'an aborted dump leaves the tree running and no images',
  `begin memory large
  remember
  run abort-dump.mjs $pid
  whole
  nothing_new
  ends
`,
)

libraryScenario(
  'an aborted restore leaves no process',
  `begin memory large
  run abort-restore.mjs $pid
  whole
  ends
`,
)

libraryScenario(
  'a caller that is killed has aborted its dump',
  `begin pipes content
  remember
  mkdir images
  run_background gone.mjs $pid $dir/images ": >$dir/here; while [ ! -e $dir/go ]; do sleep 0.01; done"
  within 20 '[ -e here ]'
  kill -9 $runner
  : >go
  whole
  nothing_new
  nothing_in images
  ends
`,
)

libraryScenario(
  'descriptors of the caller are inherited by its own numbers',
  `begin inherit writer 50> >(cat >first)
  run inherit.mjs $pid
  goes_on
  ends
  cat first next >all
  seq $(wc -l <all) | cmp - all || failed "lines are missing, or are there twice"
`,
)

libraryScenario(
  'restoreSibling makes the root a child of the caller',
  `begin pipes content
  run sibling.mjs $pid
  goes_on
  ends
`,
)

libraryScenario(
  'check, explain and readImages tell what the commands tell',
  `begin pipes content
  run looks.mjs $pid
  whole
  ends
`,
)
