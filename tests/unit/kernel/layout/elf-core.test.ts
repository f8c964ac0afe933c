import { expect, test } from 'bun:test'
import { elfPrpsinfo, elfPrstatus } from '../../../../src/kernel/layout/elf.ts'
import { runC } from './c.ts'

/** Notes of a core file; sys/procfs.h cannot be included beside the kernel's own headers. */
const cases = [
  { layout: elfPrstatus, c: 'struct elf_prstatus' },
  { layout: elfPrpsinfo, c: 'struct elf_prpsinfo' },
]

for (const { layout, c } of cases) {
  test(`${c} is the C compiler's`, () => {
    const fields = Object.keys(layout.offsets)
    const prints = fields.map(
      (field) => `printf("${field} %zu\\n", __builtin_offsetof(${c}, pr_${field}));`,
    )
    const source = [
      '#include <stdio.h>',
      '#include <sys/procfs.h>',
      'int main(void) {',
      `printf("size %zu\\n", sizeof(${c}));`,
      ...prints,
      'return 0; }',
    ]
    const offsets = layout.offsets as Readonly<Record<string, number>>
    const expected = [`size ${layout.size}`, ...fields.map((field) => `${field} ${offsets[field]}`)]
    expect(runC(source.join('\n')).trim().split('\n')).toEqual(expected)
  })
}
