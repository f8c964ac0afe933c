import { expect, test } from 'bun:test'
import { Readable } from 'node:stream'
import { eachLine } from '../../../src/api/lines.ts'

const linesOf = async (...pieces: string[]): Promise<string[]> => {
  const found: string[] = []
  const stream = Readable.from(pieces.map((piece) => Buffer.from(piece)))
  eachLine(stream, (line) => found.push(line))
  await new Promise((resolve) => stream.on('end', resolve))
  return found
}

test('lines are put together again', async () => {
  expect(await linesOf('a', 'b\nc\n', 'd')).toEqual(['ab', 'c', 'd'])
  expect(await linesOf('\n', '\n')).toEqual(['', ''])
  expect(await linesOf()).toEqual([])
})

test('a letter in two pieces', async () => {
  const bytes = Buffer.from('ü\n')
  const found: string[] = []
  const stream = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)])
  eachLine(stream, (line) => found.push(line))
  await new Promise((resolve) => stream.on('end', resolve))
  expect(found).toEqual(['ü'])
})
