import { scenario } from './scenario.ts'

/** Unix sockets with a peer outside of the tree: --ext-unix-sk, --external unix, --inherit-fd. */

/** Most of a scenario is waiting; on a busy machine, for long. */
const SECONDS = 180

/** One that answers at `outside` and `outside-datagram`, and connects to `inside` when asked. */
const PEER = String.raw`
cat >peer.py <<'END'
import os, select, socket, sys
stream = socket.socket(socket.AF_UNIX)
stream.bind('outside')
stream.listen()
datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
datagram.bind('outside-datagram')
open('peer', 'w').write(str(os.getpid()))
known = [stream, datagram]
while True:
    for one in select.select(known, [], [])[0]:
        if one is stream:
            known.append(stream.accept()[0])
        elif one is datagram:
            datagram.sendto(*one.recvfrom(100))
        else:
            said = one.recv(100)
            if said: one.send(said)
            else: known.remove(one)
END
python3 peer.py >/dev/null 2>&1 &
within 5 '[ -s peer ]'
inode_of() { stat -Lc %i /proc/$pid/fd/$1; }
descriptor() { ls -l /proc/$pid/fd | sed -n 's/.* \([0-9]*\) -> socket.*/\1/p' | head -1; }
mkdir images
`

scenario(
  'a stream whose peer is outside is refused, and says how it can come back',
  `${PEER}
  begin unix outside-stream
  fd=$(descriptor)
  inode=$(inode_of $fd)
  refuses "fd $fd: socket .AF_UNIX, SOCK_STREAM. whose peer .outside. is outside .*--external unix.$inode" dump -t $pid -D images
  refuses "fd $fd: socket .AF_UNIX" dump -t $pid -D images --ext-unix-sk
  nothing_in images
  within 5 '[ "$(cat state)" = open ]'
  whole
  ends`,
  SECONDS,
)

scenario(
  'with --external unix a stream comes back as if its peer were closed',
  `${PEER}
  begin unix outside-stream
  inode=$(inode_of $(descriptor))
  works dump -t $pid -D images --external "unix[$inode]"
  gone
  works restore -d -D images
  within 5 '[ "$(cat state)" = closed ]'
  ends`,
  SECONDS,
)

scenario(
  'with --ext-unix-sk=INODE as well, and a connection of the caller can take its place',
  `${PEER}
  begin unix outside-stream
  inode=$(inode_of $(descriptor))
  works dump -t $pid -D images --ext-unix-sk=$inode
  gone
  cat >again.py <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect('outside')
os.dup2(s.fileno(), 60, True)
s.detach()
os.execv(sys.argv[1], sys.argv[1:])
END
  python3 again.py "$program" restore -d -D images --inherit-fd "fd[60]:socket:[$inode]" >out 2>&1 || failed "restore"
  rm -f state
  within 5 '[ -s state ]'
  goes_on
  holds '[ "$(cat state)" = open ]'
  ends`,
  SECONDS,
)

scenario(
  'a datagram socket connected to the outside goes on with --ext-unix-sk',
  `${PEER}
  begin unix outside-datagram
  refuses 'socket .AF_UNIX, SOCK_DGRAM. whose peer .outside-datagram. is outside' dump -t $pid -D images
  ends
  cd / && rm -f $dir/inside && cd $dir
  rm -f log pid state outside-datagram && kill $(cat peer) && rm -f outside peer
  sed -i "s,bind('outside-datagram'),bind('$dir/outside-datagram')," peer.py
  python3 peer.py >/dev/null 2>&1 &
  within 5 '[ -s peer ]'
  begin unix outside-datagram
  refuses 'dump with --ext-unix-sk' dump -t $pid -D images
  for i in 1 2; do
    works dump -t $pid -D images --ext-unix-sk
    gone
    works restore -d -D images
    rm -f state
    within 5 '[ "$(cat state 2>/dev/null)" = open ]'
    goes_on
    rm -rf images && mkdir images
  done
  holds '[ "$(cat state)" = open ]'
  ends`,
  SECONDS,
)

scenario(
  'where the outside is gone, a restore says whom the socket was connected to',
  `${PEER}
  kill $(cat peer) && rm -f outside outside-datagram peer
  sed -i "s,bind('outside-datagram'),bind('$dir/outside-datagram')," peer.py
  python3 peer.py >/dev/null 2>&1 &
  within 5 '[ -s peer ]'
  begin unix outside-datagram
  works dump -t $pid -D images --ext-unix-sk
  gone
  kill $(cat peer)
  refuses 'was connected to .*/outside-datagram, where nobody is now' restore -d -D images
  remember
  nothing_new`,
  SECONDS,
)

scenario(
  'connections of others that wait at a listener are refused',
  `${PEER}
  begin unix outside-client
  python3 -c 'import socket,time; s=socket.socket(socket.AF_UNIX); s.connect("inside"); open("connected","w").write("1"); time.sleep(100)' &
  within 5 '[ -s connected ]'
  refuses 'listening at inside, with a connection from outside of the tree' dump -t $pid -D images
  kill %2
  wait %2 2>/dev/null
  refuses 'listening at inside, with a connection whose client is closed' dump -t $pid -D images -R
  whole
  ends`,
  SECONDS,
)

scenario(
  'what was sent through connections that wait is kept where the dump ends the tree',
  `mkdir images
  begin unix waiting-queue
  refuses 'listening at wait, with a connection through which bytes were sent' dump -t $pid -D images -R
  refuses 'listening at wait, with a connection whose client is closed' dump -t $pid -D images -R
  for i in 1 2 3; do
    works dump -t $pid -D images
    gone
    works restore -d -D images
    whole
    rm images/*
  done
  ends`,
  SECONDS,
)

scenario(
  'empty messages come back once; the kernel hides from a second dump what a first one has seen',
  `mkdir images
  begin unix empty-messages
  works dump -t $pid -D images
  gone
  works restore -d -D images
  whole
  rm images/*
  works dump -t $pid -D images -R
  rm images/*
  refuses 'SOCK_DGRAM. with 1 empty messages that were looked at before' dump -t $pid -D images
  whole
  ends`,
  SECONDS,
)
