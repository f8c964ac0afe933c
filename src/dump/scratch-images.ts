import { ImageDirectory } from '../images/directory.ts'
import { FSCONFIG, FSMOUNT, FSOPEN } from '../kernel/constants/mount.ts'
import { makeTemporarySync, removeAllSync } from '../kernel/fs.ts'
import { scratch } from '../kernel/memory.ts'
import { must, owned, sys } from '../kernel/sys.ts'

/** A directory for images that nobody is to have; it is gone with its scope. */
export interface ScratchImages extends Disposable {
  readonly images: ImageDirectory
}

/** On a tmpfs that is mounted nowhere; without the right to that, in /tmp. */
export function scratchImages(): ScratchImages {
  return detachedTmpfs() ?? temporary()
}

function detachedTmpfs(): ScratchImages | undefined {
  using s = scratch()
  const context = sys('fsopen', s.string('tmpfs'), FSOPEN.CLOEXEC)
  if (context < 0) return undefined
  using fs = owned(context)
  must('fsconfig', fs.fd, FSCONFIG.CMD_CREATE, 0, 0, 0)
  using mount = owned(must('fsmount', fs.fd, FSMOUNT.CLOEXEC, 0))
  const images = ImageDirectory.open(mount.fd)
  return { images, [Symbol.dispose]: () => images.close() }
}

function temporary(): ScratchImages {
  const path = makeTemporarySync('/tmp/criu-explain-')
  const images = ImageDirectory.open(path)
  return {
    images,
    [Symbol.dispose]() {
      images.close()
      removeAllSync(path)
    },
  }
}
