import { scenario } from './scenario.ts'

/** `criu cpuinfo`: the image alone, without a tree. */

scenario(
  'cpuinfo: what this CPU can do is written, and compared by each mode and its inverse',
  `
  mkdir images
  refuses 'cpuinfo[.]img.*no such file.*cpuinfo dump' cpuinfo check -D images
  works cpuinfo dump -D images
  holds '[ "$(ls images)" = cpuinfo.img ]'
  for cap in '' --cpu-cap --cpu-cap=all --cpu-cap=cpu --cpu-cap=ins --cpu-cap=fpu --cpu-cap=none; do
    works cpuinfo check -D images $cap
  done
  crit decode -i images/cpuinfo.img >good.json || failed crit
  # other WORD BIT ON: a CPU that has a feature more or less than this one.
  other() {
    python3 - $1 $2 $3 <<'P' && crit encode -i other.json -o images/cpuinfo.img || failed change
import json, sys
word, bit, on = map(int, sys.argv[1:])
image = json.load(open('good.json'))
capability = image['entries'][0]['x86_entry'][0]['capability']
capability[word] = capability[word] | 1 << bit if on else capability[word] & ~(1 << bit)
json.dump(image, open('other.json', 'w'))
P
  }
  # xop and lwp are of AMD's first Bulldozers, 3dnow of its CPUs before; none has all of them any more.
  other 6 11 1
  refuses 'images come from a CPU with xop' cpuinfo check -D images
  refuses 'with xop' cpuinfo check -D images --cpu-cap=ins -o $dir/job.log
  refuses 'differs in: xop' cpuinfo check -D images --cpu-cap=cpu
  refuses 'with xop' cpuinfo check -D images --cpu-cap=^cpu
  works cpuinfo check -D images --cpu-cap=^ins,^cpu
  works cpuinfo check -D images --cpu-cap=fpu
  works cpuinfo check -D images --cpu-cap=none
  refuses 'with xop' cpuinfo check -D images --cpu-cap=^none
  # A CPU that could do less: all of its programs run here, but it is another one.
  other 9 5 0
  works cpuinfo check -D images
  refuses 'differs in: avx2 .new here' cpuinfo check -D images --cpu-cap=cpu
  head -c 9 images/cpuinfo.img >cut; mv cut images/cpuinfo.img
  refuses 'cpuinfo[.]img' cpuinfo check -D images
  refuses 'knows dump and check, not look' cpuinfo look -D images
  refuses 'cpu-cap knows' cpuinfo check -D images --cpu-cap=gpu
  refuses 'needs dump.check behind it' cpuinfo -D images
`,
)
