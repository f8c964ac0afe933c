/**
 * Machine code from its listing: in each line the bytes in hexadecimal, and behind them a comment that
 * begins with a slash and a star. Without regular expressions: this runs at each start of the program.
 */
export function machineCode(listing: string): Uint8Array {
  const hex = listing.split('\n').map((line) => {
    const comment = line.indexOf('/*')
    return comment < 0 ? line : line.slice(0, comment)
  })
  return new Uint8Array(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'))
}
