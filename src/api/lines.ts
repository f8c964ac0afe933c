/** Calls for each line of a stream; the last one need not have an end. */
export function eachLine(stream: NodeJS.ReadableStream, call: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop()!
    for (const line of lines) call(line)
  })
  stream.on('end', () => {
    if (rest !== '') call(rest)
  })
}
