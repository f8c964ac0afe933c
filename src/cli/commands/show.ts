import { EXIT_OK } from '../../errors/exit.ts'
import type { ShowOptions } from '../../job/options.ts'
import { normalise } from '../../options/normalise.ts'
import type { RawOption } from '../../options/raw.ts'
import type { Io } from '../io.ts'
import { writeOut } from '../output.ts'

/** Each request loads what it needs, and no more. */
export async function showCommand(
  words: readonly string[],
  raw: readonly RawOption[],
  io: Io,
): Promise<number> {
  const options = normalise('show', raw, { words })
  const { request, output } = options
  switch (request.kind) {
    case 'view':
      writeOut([await viewText(request, options.json)], output)
      break
    case 'html': {
      const { htmlPage } = await import('../../inspect/html/page.ts')
      const { readImages } = await import('../../inspect/snapshot/read.ts')
      writeOut(htmlPage(readImages(request.directory)), request.page)
      break
    }
    case 'core': {
      const { dumpCore } = await import('../../inspect/core/write.ts')
      const { path, saved } = dumpCore(
        request.directory,
        request.pid,
        output ?? `core.${request.pid}`,
      )
      io.out(`${path}: ${saved} bytes of memory\n`)
      break
    }
    case 'decode': {
      const { decodeImage } = await import('../../inspect/json/decode.ts')
      writeOut(decodeImage(request.file), output)
      break
    }
    case 'encode': {
      const { encodeFile } = await import('../../inspect/json/encode.ts')
      writeOut(encodeFile(request.file), output)
      break
    }
    default:
      request satisfies never
  }
  return EXIT_OK
}

type ViewRequest = Extract<ShowOptions['request'], { kind: 'view' }>

async function viewText({ directory, view }: ViewRequest, json: boolean): Promise<string> {
  const { readImages } = await import('../../inspect/snapshot/read.ts')
  const { views } = await import('../../inspect/views/index.ts')
  const snapshot = readImages(directory)
  const { text, json: picked } = views[view]
  if (!json) return text(snapshot)
  const { resultText } = await import('../../inspect/views/result.ts')
  return resultText(picked(snapshot))
}
