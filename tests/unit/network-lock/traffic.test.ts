import { expect, test } from 'bun:test'
import { join } from 'node:path'

/** Locks in a network namespace of the test's own: what is in it, and what its own programs list. */
async function traffic(method: string, kind: string) {
  const script = join(import.meta.dir, 'traffic.ts')
  const command = `ip link set lo up && exec '${process.execPath}' '${script}' ${method} ${kind}`
  const child = Bun.spawn(['unshare', '--net', 'sh', '-c', command], {
    env: { ...process.env, LC_ALL: 'C' },
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const [first, ...rest] = (await new Response(child.stdout).text()).split('\n')
  return { report: JSON.parse(first!), listed: rest.join('\n') }
}

for (const method of ['nftables', 'iptables'])
  for (const kind of ['4', '6', 'mapped'])
    test.concurrent(`${method}, IPv${kind}: packets of locked connections are dropped, others pass`, async () => {
      const { report, listed } = await traffic(method, kind)
      expect(report).toEqual({
        free: '1 byte',
        incoming: 'nothing',
        outgoing: 'nothing',
        gone: 'nothing',
        exempt: '1 byte',
        incomingLater: '1 byte',
        outgoingLater: '1 byte',
        goneLater: 'ECONNRESET',
      })
      expect(listed).not.toContain('CRIU-living')
      expect(listed).toContain('CRIU-dumped')
      const ids = new Set(listed.match(/CRIU-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}/g))
      expect(ids.size).toBe(1)
    }, 60_000)
