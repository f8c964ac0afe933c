import { fail } from '../../errors/error.ts'

import { F, FD } from '../../kernel/constants/fcntl.ts'
import { must } from '../../kernel/sys.ts'
import { type LocalFd, localFd } from '../../kernel/types.ts'
import type { RawOption } from '../../options/raw.ts'
import { serve } from '../../rpc/serve.ts'
import { isRpcSocket, RpcSocket } from '../../rpc/socket.ts'
import { takeTerms } from '../../rpc/terms.ts'
import type { Engine } from '../engine.ts'
import type { Io } from '../io.ts'
import { RpcJobs } from '../rpc-jobs.ts'

/** Serves the connection that the caller left open. Exit code 0 tells that requests were answered. */
export async function swrkCommand(
  [word]: readonly string[],
  options: readonly RawOption[],
  engine: Engine,
  io: Io,
): Promise<number> {
  const fd = connection(word ?? '')
  // Not for scripts, nor for what we become.
  must('fcntl', fd, F.SETFD, FD.CLOEXEC)
  return serve(new RpcSocket(fd), new RpcJobs(options, engine, io), takeTerms())
}

function connection(word: string): LocalFd {
  if (/^\d{1,9}$/.test(word) && isRpcSocket(Number(word))) return localFd(Number(word))
  return fail({
    code: 'option',
    option: 'swrk',
    reason: `needs the number of a connected socket (AF_UNIX, SOCK_SEQPACKET), not ${word}`,
    remedy: 'it is for programs that start criu; criu service serves others',
  })
}
