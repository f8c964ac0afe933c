import { fileName } from '../../images/catalogue.ts'
import { ImageDirectory } from '../../images/directory.ts'
import type { PagemapTable } from '../../images/pagemap.ts'
import { existsSync, readlinkSync, removeAllSync, symlinkSync } from '../../kernel/fs.ts'
import type { DumpContext } from '../dump-model.ts'
import type { TaskMemory } from './dump-memory.ts'

/** The directory, below each image directory, that holds the images of the parents. */
const COW_DIRECTORY = 'cow'

export interface WrittenPagemap {
  readonly memory: TaskMemory
  readonly pagesId: number
  readonly table: PagemapTable
}

/**
 * Pages that a task shares with its parent process are written once. Its own pagemap says of them that
 * they stand in the parent *image*, and the link `parent` leads to a directory where the pagemap of the
 * parent *process* stands under the task's pid. So the images mean the same to every reader that knows
 * incremental dumps, upstream's included. Pages shared over two generations lead on to a directory
 * below that one, and so on.
 */
export function writeCowParents(
  pagemaps: ReadonlyMap<number, WrittenPagemap>,
  dump: DumpContext,
): void {
  let level = [...pagemaps.values()]
    .filter(({ memory }) => memory.inherited.length > 0)
    .map((written) => ({ child: written, source: written }))
  if (level.length > 0) removeIfFailed(dump)
  let directory = dump.images
  let path = dump.options.imagesDir
  for (let depth = 1; level.length > 0; depth++) {
    if (!hasCowParent(path)) directory.linkParent(COW_DIRECTORY)
    path = `${path}/${COW_DIRECTORY}`
    const below = ImageDirectory.create(path)
    if (directory !== dump.images) directory.close()
    directory = below
    const next: typeof level = []
    for (const { child, source } of level) {
      const parent = pagemaps.get(source.memory.task.stat.ppid)!
      directory.writePagemap(
        'pagemap',
        { pages_id: parent.pagesId },
        parent.table,
        child.memory.task.nsPid,
      )
      linkPages(path, depth, parent.pagesId)
      if (parent.memory.inherited.length > 0) next.push({ child, source: parent })
    }
    level = next
  }
  if (directory !== dump.images) directory.close()
}

/** An earlier dump into the same directory may have left the link. */
function hasCowParent(path: string): boolean {
  try {
    return readlinkSync(`${path}/parent`) === COW_DIRECTORY
  } catch {
    return false
  }
}

/** The pages themselves are in the topmost directory alone. */
function linkPages(directory: string, depth: number, pagesId: number): void {
  const name = fileName('pages', pagesId)
  try {
    symlinkSync(`${'../'.repeat(depth)}${name}`, `${directory}/${name}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function removeIfFailed(dump: DumpContext): void {
  const path = `${dump.options.imagesDir}/${COW_DIRECTORY}`
  if (existsSync(path)) return // not ours alone
  dump.atFailure(() => removeAllSync(path))
}
