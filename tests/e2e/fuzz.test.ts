import { expect, test } from 'bun:test'
import { fuzz } from '../fuzz/main.ts'

test('damaged images: read to the plan, and restored; `npm run fuzz` takes more of both', async () => {
  const { found, summary } = await fuzz({ seconds: 10, seed: 1, few: true })
  console.log(summary.join('\n'))
  expect(found).toEqual([])
}, 180_000)
