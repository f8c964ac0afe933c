import { scenario } from './scenario.ts'

scenario(
  'four hundred descriptors are restored within a limit of six hundred, criu’s own included',
  `
  ulimit -Hn 600 && ulimit -Sn 600
  begin pipes many
  for round in 1 2; do
    rm -rf images && mkdir images
    works dump -t $pid -D images
    gone
    works restore -d -D images
    whole
  done
  ends
`,
)
