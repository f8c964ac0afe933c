import { scenario } from './scenario.ts'

/** `restore --dry-run`: the plan as text, from the images alone, also without root. */

scenario(
  'it prints the plan, makes nothing, and needs no privileges',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  chmod -R a+rX images
  ls -lR images >before
  remember
  works restore -D images --dry-run
  cp out plan
  holds 'grep -q "$pid .*alive" plan && grep -q "cloned by $pid" plan'
  nothing_new
  setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all \\
    "$program" restore -D images --dry-run >out 2>&1 || failed 'as nobody'
  holds 'cmp -s plan out'
  holds 'diff before <(ls -lR images) >&2'
  works restore -d -D images
  whole
  works dump -t $pid -D images -R
  works restore -D images --dry-run
  ends
`,
)

scenario(
  'damaged and missing images are refused as by a restore',
  `
  begin threads in-several-processes 2
  mkdir images
  works dump -t $pid -D images
  gone
  cp images/pstree.img good
  truncate -s -3 images/pstree.img
  refuses 'pstree[.]img' restore -D images --dry-run
  rm images/pstree.img
  refuses 'pstree[.]img' restore -D images --dry-run
  cp good images/pstree.img
  works restore -d -D images
  ends
`,
)
