/** The promise's value; an error that says what was waited for where it takes longer. */
export function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`not within ${seconds} s: ${what}`)),
    1000 * seconds,
  )
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Tries until it succeeds: to connect to a server that is just starting. */
export async function untilIt<T>(works: () => T | Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await works()
    } catch (error) {
      if (tries === 1000) throw error
      await Bun.sleep(20)
    }
  }
}

/** Where two values differ, an error that shows both. */
export function same(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value) ?? 'nothing')
  if (a !== b) throw new Error(`${what}: ${shown(a!)}, not ${shown(b!)}`)
}

const shown = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
