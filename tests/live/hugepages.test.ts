import { afterAll, beforeAll } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { liveTest, refusalTest } from '../harness/live.ts'

/** How many pages of each size the tests have among them; what is free already counts. */
const POOLS = [
  { directory: '/sys/kernel/mm/hugepages/hugepages-2048kB', pages: 64 },
  { directory: '/sys/kernel/mm/hugepages/hugepages-1048576kB', pages: 1 },
]
const before = new Map<string, number>()

/** A size that the machine does not have, or no memory for, leaves its tests not run. */
function setPool(directory: string, pages: number): void {
  try {
    const path = `${directory}/nr_hugepages`
    before.set(directory, before.get(directory) ?? Number(readFileSync(path, 'latin1')))
    writeFileSync(path, String(pages))
  } catch {
    before.delete(directory)
  }
}

beforeAll(() => {
  for (const { directory, pages } of POOLS) setPool(directory, pages)
})
afterAll(() => {
  for (const [directory, pages] of before) setPool(directory, pages)
})

liveTest('private huge pages keep content, and what is untouched stays so', 'hugepages private')
liveTest('private huge pages of a size that was asked for', 'hugepages explicit')
liveTest('a huge page of 1 GiB', 'hugepages gigantic', { rounds: 1, seconds: 240 })
liveTest('a mapping of huge pages with three protections', 'hugepages protections')
liveTest('huge pages shared by parent and child', 'hugepages shared')
liveTest('private huge pages that a child has by fork', 'hugepages inherited')
liveTest('a mapping of which no page was set aside', 'hugepages no-reserve')
liveTest('a memfd of huge pages, mapped and sealed', 'hugepages memfd')
liveTest('a private mapping of a memfd of huge pages', 'hugepages memfd-private')
liveTest('memfds of small and huge pages are told apart', 'hugepages memfd-both')
liveTest('System V shared memory of huge pages', 'hugepages sysv')
liveTest('a file of hugetlbfs, mapped shared and private', 'hugepages file')
refusalTest('an unlinked file of hugetlbfs', 'hugepages unlinked-file', [
  'fd [0-9]+: unlinked file .*/huge/file of huge pages',
])
