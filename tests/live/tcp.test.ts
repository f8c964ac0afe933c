import { describe } from 'bun:test'
import { type LiveOptions, liveTest, refusalTest } from '../harness/live.ts'

/** Has the subject answer a connection from outside of its tree, after each restore. */
const knock = (address: string) =>
  `timeout 9 bash -c 'exec 3<>/dev/tcp/${address}/7001 && echo hello >&3 && read -r x <&3 && [ "$x" = hello ]'`

const there: LiveOptions = { network: true }
const established: LiveOptions = {
  network: true,
  dumpArgs: '--tcp-established',
  restoreArgs: '--tcp-established',
}
const answering = (address: string): LiveOptions => ({ ...there, check: knock(address) })

describe('a listening socket', () => {
  liveTest('of IPv4, with its backlog', 'tcp listen4', answering('127.0.0.1'))
  liveTest('of IPv6', 'tcp listen6', answering('::1'))
  liveTest('of both', 'tcp listen_dual', answering('127.0.0.1'))
  liveTest('of IPv6 only, and another one of IPv4', 'tcp listen_v6only', answering('::1'))
  liveTest('with options that its connections get', 'tcp listen_options', answering('127.0.0.1'))
  liveTest('that waits for data (TCP_DEFER_ACCEPT)', 'tcp listen_deferred', there)
  liveTest('of three that share a port', 'tcp listen_reuseport', answering('127.0.0.1'))
  liveTest('on a port in TIME-WAIT', 'tcp listen_on_remains', answering('127.0.0.1'))
  liveTest('in whose accept a thread waits', 'tcp blocked_accept', there)
})

describe('a socket without a connection', () => {
  liveTest('new, or bound to a port or an address alone', 'tcp unconnected', there)
  liveTest('bound: nobody else can have its port', 'tcp bound_is_taken', there)
  liveTest('shut down', 'tcp shut_unconnected', there)
  liveTest('whose connection has ended, with data not yet read', 'tcp ended', there)
  liveTest('whose connection has ended, over IPv6', 'tcp ended6', there)
  liveTest('whose connection was reset, and that was told', 'tcp reset_and_told', there)
})

describe('a connection', () => {
  liveTest('goes on in both directions', 'tcp connected4', established)
  liveTest('over IPv6', 'tcp connected6', established)
  liveTest('over IPv4 by a socket of IPv6', 'tcp mapped', established)
  liveTest('has its names and options', 'tcp names', established)
  liveTest('has every option that was set', 'tcp options', established)
  liveTest('with data that was not read yet', 'tcp received', established)
  liveTest('with all queues full', 'tcp full', { ...established, seconds: 120 })
  liveTest('with all queues full, over IPv6', 'tcp full6', { ...established, seconds: 120 })
  liveTest('with data that was sent and not acknowledged', 'tcp unacknowledged', established)
  liveTest('with small buffers, full', 'tcp small_buffers', established)
  liveTest('that is corked', 'tcp cork', established)
  liveTest('with data behind the cork', 'tcp corked_data', established)
  liveTest('between two processes', 'tcp processes', established)
  liveTest('of a socket that two processes share', 'tcp shared', established)
  liveTest('of ten with the port of their listener', 'tcp server', {
    ...established,
    check: knock('127.0.0.1'),
  })
  liveTest('of two hundred', 'tcp many', { ...established, seconds: 120 })
  liveTest('of a socket with itself', 'tcp with_itself', established)
  liveTest('of a socket bound to a device, half closed', 'tcp on_device', established)
  liveTest('watched by epoll', 'tcp readiness', { ...established, allow: ' tfd: ' })
  liveTest('that a process waits to read from', 'tcp blocked_receive', established)
  liveTest('that a process waits to write to', 'tcp blocked_send', established)
  liveTest('with a place where MSG_PEEK goes on', 'tcp peek_offset', established)
  liveTest('with a process outside of the tree', 'tcp outside', established)
  liveTest('with a process outside of the tree, over IPv6', 'tcp outside6', established)
  liveTest('with a process outside, locked by iptables', 'tcp outside', {
    ...established,
    dumpArgs: '--tcp-established --network-lock iptables',
  })
})

describe('a connection on its way to its end', () => {
  liveTest('half closed: FIN-WAIT-2 and CLOSE-WAIT', 'tcp half_closed', established)
  liveTest('half closed, over IPv6', 'tcp half_closed6', established)
  liveTest('half closed, over link-local addresses', 'tcp link_local', established)
  liveTest('half closed, locked by iptables', 'tcp half_closed_full', {
    ...established,
    dumpArgs: '--tcp-established --network-lock iptables',
  })
  liveTest('half closed, with data both ways', 'tcp half_closed_full', established)
  liveTest('FIN-WAIT-1', 'tcp fin_wait1', established)
  liveTest('FIN-WAIT-1, the FIN behind data that was not sent', 'tcp fin_unsent', established)
  liveTest('CLOSING', 'tcp closing', established)
  liveTest('LAST-ACK', 'tcp last_ack', established)
  liveTest('LAST-ACK, the FIN behind data that was not sent', 'tcp last_ack_unsent', established)
  liveTest('shut down for reading', 'tcp shut_reading', established)
})

describe('a connection that is being made', () => {
  liveTest('SYN-SENT', 'tcp connecting', established)
  liveTest('in whose connect a process waits', 'tcp blocked_connect', established)
})

describe('urgent data', () => {
  liveTest('not yet taken', 'tcp urgent', established)
  liveTest('as the next byte', 'tcp urgent_first', established)
  liveTest('among the others (SO_OOBINLINE)', 'tcp urgent_inline', established)
  liveTest('taken: its place is a hole', 'tcp urgent_taken', established)
})

describe('without a connection to keep', () => {
  const closing = { network: true, dumpArgs: '--tcp-close', restoreArgs: '--tcp-close' }
  liveTest('--tcp-close: they come back closed', 'tcp closes', closing)
  liveTest('saved, and restored with --tcp-close', 'tcp closes', {
    ...established,
    restoreArgs: '--tcp-close',
    rounds: 1,
  })
  liveTest('--skip-in-flight', 'tcp in_flight', { ...there, dumpArgs: '--skip-in-flight' })
})

describe('refused by name', () => {
  refusalTest(
    'a connection, without --tcp-established',
    'tcp connected4',
    [
      'fd [0-9]+: socket \\(AF_INET, SOCK_STREAM\\) of an established connection.*--tcp-established',
    ],
    there,
  )
  refusalTest(
    'a connection that nobody has accepted',
    'tcp in_flight',
    ['with 1 connections? that nobody has accepted yet.*--skip-in-flight'],
    there,
  )
  refusalTest('an error not yet told', 'tcp reset_pending', ['with an error'], established)
  refusalTest('signed segments', 'tcp signed_segments', ['TCP_MD5SIG'], there)
})
