import { EXIT_OK } from '../../errors/exit.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import type { Io } from '../io.ts'
import { writeOut } from '../output.ts'

/** 0 whether something differs or not: that is in the text, and in JSON as `same`. */
export async function diffCommand(
  words: readonly string[],
  raw: readonly RawOption[],
  _io: Io,
): Promise<number> {
  const { before, after, json, output } = normalise('diff', raw, { words })
  const { diffImages } = await import('../../inspect/diff/diff.ts')
  const difference = diffImages(before, after)
  const text = json
    ? (await import('../../inspect/views/result.ts')).resultText(difference)
    : (await import('../../inspect/diff/text.ts')).diffText(difference)
  writeOut([text], output)
  return EXIT_OK
}
