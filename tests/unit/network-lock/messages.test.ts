import { describe, expect, test } from 'bun:test'
import { NLM_F } from '../../../src/kernel/constants/netlink.ts'
import {
  NFNL_MSG,
  NFT_MSG,
  NFTA_DATA,
  NFTA_LIST,
  NFTA_SET,
  NFTA_SET_ELEM,
  NFTA_SET_ELEM_LIST,
  NFTA_TABLE,
} from '../../../src/kernel/constants/nf-tables.ts'
import { parseAttributes } from '../../../src/kernel/netlink/attributes.ts'
import { hostPid } from '../../../src/kernel/types.ts'
import { addressText, onTheWire } from '../../../src/network-lock/connection.ts'
import { lockRules, staleChains, unlockRules } from '../../../src/network-lock/iptables.ts'
import { isStale, makeMark, markText, parseMark } from '../../../src/network-lock/mark.ts'
import { lockMessages, nftType, unlockMessages } from '../../../src/network-lock/nft-messages.ts'

const four = (last: number, port: number) => ({ address: Uint8Array.of(10, 0, 0, last), port })
const six = (last: number, port: number) => ({
  address: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? last : 0)),
  port,
})
const mapped = (last: number, port: number) => ({
  address: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, last),
  port,
})

const living = makeMark(hostPid(process.pid))
const ofDeadJob = { ...living, job: { pid: hostPid(1 << 22), start: 1n } }
const dumped = { ...ofDeadJob, tree: { ...living.tree, start: 1n } }

/** struct nfgenmsg comes before the attributes. */
const attributesOf = (body: Uint8Array) => parseAttributes(body, 4)
const keysOf = (body: Uint8Array): string[] =>
  attributesOf(body)
    .nested(NFTA_SET_ELEM_LIST.ELEMENTS)!
    .eachNested(NFTA_LIST.ELEM)
    .map((element) => element.nested(NFTA_SET_ELEM.KEY)!.bytes(NFTA_DATA.VALUE)!)
    .map((key) => Buffer.from(key).toString('hex'))

describe('connections', () => {
  test('a mapped address is one of IPv4 on the wire', () => {
    expect(onTheWire({ local: mapped(1, 2), remote: mapped(3, 4) })).toEqual({
      local: four(1, 2),
      remote: four(3, 4),
    })
    expect(onTheWire({ local: six(1, 2), remote: six(3, 4) }).local).toEqual(six(1, 2))
  })

  test('addresses are written as iptables reads them', () => {
    expect(addressText(four(9, 1).address)).toBe('10.0.0.9')
    expect(addressText(six(9, 1).address)).toBe('0:0:0:0:0:0:0:9')
  })
})

describe('messages of nf_tables', () => {
  const connections = [
    { local: four(1, 80), remote: four(2, 4000) },
    { local: six(1, 81), remote: six(2, 4001) },
    { local: mapped(3, 82), remote: mapped(4, 4002) },
  ]
  const messages = lockMessages('CRIU-x', connections, living)
  const ofType = (message: number) => messages.filter(({ type }) => type === nftType(message))

  test('are one transaction, of which the last is acknowledged', () => {
    expect(messages[0]!.type).toBe(NFNL_MSG.BATCH_BEGIN)
    expect(messages.at(-1)!.type).toBe(NFNL_MSG.BATCH_END)
    expect([...messages[0]!.body]).toEqual([0, 0, 0, 10])
    const acknowledged = messages.flatMap(({ flags }, i) => (flags & NLM_F.ACK ? [i] : []))
    expect(acknowledged).toEqual([messages.length - 2])
    expect(unlockMessages('CRIU-x')).toHaveLength(3)
  })

  test('make a table with the mark, two sets, and three rules in each of two chains', () => {
    const table = attributesOf(ofType(NFT_MSG.NEWTABLE)[0]!.body)
    expect(table.string(NFTA_TABLE.NAME)).toBe('CRIU-x')
    const data = Buffer.from(table.bytes(NFTA_TABLE.USERDATA)!)
    expect(data[1]).toBe(data.length - 2)
    expect(parseMark(data.toString('latin1'))).toEqual(living)
    const sets = ofType(NFT_MSG.NEWSET).map(({ body }) => attributesOf(body))
    expect(sets.map((set) => set.string(NFTA_SET.NAME))).toEqual(['conns4', 'conns6'])
    expect(sets.map((set) => set.be32(NFTA_SET.KEY_LEN))).toEqual([16, 40])
    expect(ofType(NFT_MSG.NEWCHAIN)).toHaveLength(2)
    expect(ofType(NFT_MSG.NEWRULE)).toHaveLength(6)
  })

  test('have local and remote end as the key of an element, each part at a multiple of 4', () => {
    const elements = ofType(NFT_MSG.NEWSETELEM)
    expect(keysOf(elements[0]!.body)).toEqual([
      '0a000001' + '00500000' + '0a000002' + '0fa00000',
      '0a000003' + '00520000' + '0a000004' + '0fa20000',
    ])
    expect(keysOf(elements[1]!.body)).toEqual([
      `${'00'.repeat(15)}01${'00510000'}${'00'.repeat(15)}02${'0fa10000'}`,
    ])
  })

  test('take many connections in several, with no more rules', () => {
    const many = Array.from({ length: 2500 }, (_, i) => ({ local: four(1, i), remote: four(2, 1) }))
    const all = lockMessages('CRIU-x', many, living)
    const elements = all.filter(({ type }) => type === nftType(NFT_MSG.NEWSETELEM))
    expect(elements.map(({ body }) => keysOf(body).length)).toEqual([1000, 1000, 500])
    expect(all.length).toBe(messages.length + 1)
  })
})

describe('rules of iptables', () => {
  const rules = lockRules('CRIU-x', [{ local: four(1, 80), remote: four(2, 4000) }], ofDeadJob)

  test('drop both directions, but what is exempt', () => {
    expect(rules.split('\n').slice(0, 5)).toEqual([
      '*filter',
      ':CRIU-x - [0:0]',
      '-A CRIU-x -m mark --mark 0xc114 -j RETURN',
      '-A CRIU-x -p tcp -s 10.0.0.1 --sport 80 -d 10.0.0.2 --dport 4000 -j DROP',
      '-A CRIU-x -p tcp -s 10.0.0.2 --sport 4000 -d 10.0.0.1 --dport 80 -j DROP',
    ])
  })

  test('are removed by what iptables-save shows, and nothing else is', () => {
    const saved = rules.replaceAll('-I ', '-A ').replace('COMMIT', '-A INPUT -j mine\nCOMMIT')
    const entered = `-p tcp -m comment --comment "${markText(ofDeadJob)}" -j CRIU-x`
    expect(unlockRules(saved, 'CRIU-x')!.split('\n')).toEqual([
      '*filter',
      `-D INPUT ${entered}`,
      `-D OUTPUT ${entered}`,
      '-F CRIU-x',
      '-X CRIU-x',
      'COMMIT',
      '',
    ])
    expect(unlockRules(saved, 'CRIU-y')).toBeUndefined()
    expect(staleChains(saved)).toEqual(['CRIU-x'])
  })
})

describe('a lock is stale', () => {
  test('when its tree lives and its criu does not', () => {
    expect(isStale(ofDeadJob)).toBe(true)
    expect(isStale(living)).toBe(false)
  })

  test('but not when its tree was dumped, or is of a pid namespace that we do not see', () => {
    expect(isStale(dumped)).toBe(false)
    expect(isStale({ ...ofDeadJob, pidNamespace: '1' })).toBe(false)
  })

  test('as its mark tells, which is short enough for a comment', () => {
    const longest = { pid: hostPid(1 << 22), start: 1n << 62n }
    const mark = { tree: longest, job: longest, pidNamespace: '4294967295' }
    expect(markText(mark).length).toBeLessThan(128)
    expect(parseMark(markText(mark))).toEqual(mark)
    expect(parseMark('a table of somebody else')).toBeUndefined()
  })
})
