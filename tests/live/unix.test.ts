import { liveTest } from '../harness/live.ts'

liveTest('a pair of stream sockets goes on', 'unix stream')
liveTest('a pair of datagram sockets goes on', 'unix datagram')
liveTest('a pair of seqpacket sockets goes on', 'unix seqpacket')
liveTest('a stream keeps the bytes that lie in it, both ways', 'unix stream-queue')
liveTest('a datagram socket keeps its messages apart', 'unix datagram-queue')
liveTest('a seqpacket socket keeps its messages apart', 'unix seqpacket-queue')
liveTest('a datagram socket that takes no more is full again', 'unix datagram-full')
liveTest('a stream that takes no more is full again', 'unix stream-full')
liveTest('parent and child go on talking through a pair', 'unix between')
liveTest('ends that parent and child have, one of them twice, are one pair', 'unix shared')
liveTest('a stream whose peer is closed gives its rest and then end of file', 'unix peer-closed')
liveTest(
  'a seqpacket socket whose peer is closed gives its rest and then end of file',
  'unix seqpacket-peer-closed',
)
liveTest(
  'a datagram socket whose peer is closed learns of it when it sends',
  'unix datagram-peer-closed',
)
liveTest('a peer that was closed with unread bytes is told of by ECONNRESET', 'unix reset')
liveTest('a stream shut down for writing goes on the other way', 'unix half-shut')
liveTest('a stream shut down for reading goes on the other way', 'unix read-shut')
liveTest('a seqpacket pair shut down both ways keeps its rest', 'unix both-shut')
liveTest('datagram sockets shut down for reading take nothing more', 'unix datagram-shut')
liveTest('sockets that are neither bound nor connected keep type and flags', 'unix plain')
liveTest('a listener at an abstract name goes on to accept', 'unix abstract')
liveTest('a listener at a relative path goes on to accept', 'unix relative')
liveTest('a listener at an absolute path goes on to accept', 'unix absolute')
liveTest('names bound from another current directory stay as they were given', 'unix elsewhere')
liveTest('a name that the kernel chose stays the same', 'unix autobind')
liveTest('abstract names that differ in closing zeroes stay apart', 'unix zeroes')
liveTest('the file of a socket keeps mode and owner', 'unix permissions')
liveTest(
  'a listener whose name was removed stays without it, with its connections',
  'unix unlinked',
)
liveTest('of two sockets of one name the later one has it', 'unix taken-over')
liveTest('accepted connections keep their name when the listener is gone', 'unix listener-gone')
liveTest('ten connections of one listener keep what lies in them', 'unix connections')
liveTest(
  'ten seqpacket connections of one listener keep what lies in them',
  'unix seqpacket-connections',
)
liveTest('a client with a name of its own keeps it', 'unix named-client')
liveTest('a client knows the name of a server that is gone', 'unix server-closed')
liveTest('connections that nobody has accepted yet are accepted after the restore', 'unix waiting')
liveTest(
  'seqpacket connections that nobody has accepted yet are accepted after the restore',
  'unix seqpacket-waiting',
)
liveTest('a full queue of connections is full again', 'unix backlog')
liveTest('messages keep the addresses of their several senders', 'unix senders')
liveTest('datagram sockets keep peers that are not theirs in turn', 'unix chain')
liveTest(
  "datagram sockets connected to each other keep a third one's earlier message",
  'unix mutual',
)
liveTest('one end of a datagram pair that was given another peer keeps it', 'unix untied')
liveTest('a datagram socket connected to itself goes on', 'unix to-itself')
liveTest('descriptors in a queue come with the byte that they were sent with', 'unix rights')
liveTest('a pipe that exists in the queue of a stream alone comes out whole', 'unix stream-flight')
liveTest(
  'a pipe that exists in the queue of a datagram socket alone comes out whole',
  'unix datagram-flight',
)
liveTest('sockets in flight bring their own queues, also a socket sent over itself', 'unix nested')
liveTest("sockets that are in each other's queues come out", 'unix cycle')
liveTest('a stream keeps who sent what, where that was noted', 'unix credentials')
liveTest('datagrams keep who sent them, where that was noted', 'unix datagram-credentials')
liveTest('a message of a process that has ended still tells its pid', 'unix dead-sender')
liveTest('an urgent byte stays in its place', 'unix urgent')
liveTest('an urgent byte at the very front stays urgent', 'unix urgent-first')
liveTest('an urgent byte that was read does not come again', 'unix urgent-taken')
liveTest('options of unix sockets come back', 'unix options')
liveTest('SO_PEERCRED tells the same processes as before', 'unix peers')
liveTest('a socket with O_ASYNC goes on to signal its owner', 'unix async')
liveTest('a name that counts from a root directory of its own is bound there', 'unix jail')
liveTest('five hundred pairs keep each its own word', 'unix many')
liveTest('a datagram socket knows the name of a server that is gone', 'unix datagram-server-gone')
