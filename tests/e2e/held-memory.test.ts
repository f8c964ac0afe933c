import { scenario } from './scenario.ts'

/** Dumps that leave a tree running and write its memory while it goes on. */

const children = 'ps -o pid=,stat= --ppid'

scenario(
  'memory that is written while the tree goes on is of one moment, and nothing stays in the tree',
  `
  begin memory large
  mkdir images
  works dump -t $pid -D images -R -v4 -o $dir/job.log
  holds 'grep -q "held pages done" job.log'
  holds '! grep -q "release begins" <(sed "1,/held pages begins/d" job.log)'
  whole
  holds '[ -z "$(${children} $pid | grep Z)" ]'
  child=$(pgrep -P $pid)
  kill -KILL $pid $child
  gone
  within 5 '[ ! -e /proc/$child ]'
  works restore -d -D images
  whole
  ends
`,
)

scenario(
  'with an action script the tree stands still until all is written',
  `
  begin memory large
  mkdir images
  works dump -t $pid -D images -R -v4 -o $dir/job.log --action-script true
  holds '! grep -q "held pages" job.log'
  whole
  ends
`,
)

scenario(
  'a dump that is killed while it writes such memory leaves no more than the next one takes away',
  `
  begin memory large
  mkdir images
  $build/strike "$dir/job.log:) held pages begins" $program dump -t $pid -D images -o $dir/job.log -v4 -R >lived 2>out
  holds 'grep -q "held pages begins" job.log && ! grep -q "held pages done" job.log'
  holds '[ ! -e images/inventory.img ]'
  goes_on
  within 5 '[ "$(ls /proc/$pid/task)" = $pid ]'
  rm -rf images/*
  works dump -t $pid -D images -R -v4 -o $dir/job.log
  holds '[ -z "$(${children} $pid | grep Z)" ]'
  whole
  rm -rf images/*
  works dump -t $pid -D images
  gone
  works restore -d -D images
  whole
  ends
`,
)

scenario(
  'a tree that ends while its memory is written ends at once; the dump is whole all the same',
  `
  begin memory large
  mkdir images
  child=$(pgrep -P $pid)
  $program dump -t $pid -D images -o $dir/job.log -v4 -R >out 2>&1 &
  within 20 'grep -q "held pages begins" job.log 2>/dev/null'
  kill -KILL $pid $child
  wait $! || failed "the dump"
  gone
  within 5 '[ ! -e /proc/$child ]'
  works restore -d -D images
  goes_on
  ends
`,
)
