import type { Obstacle } from '../errors/error.ts'
import type { RestoreOptions } from '../job/options.ts'
import type { RestoreModel } from '../resources/restore-model.ts'
import { sessionTerminals } from '../resources/terminals/sessions.ts'
import { findObstacles } from './obstacles.ts'
import { planArena } from './plan-arena.ts'
import { planTree, type Step } from './plan-tree.ts'

/** What a restore will do, from the images alone. */
export interface Plan {
  readonly model: RestoreModel
  /** What stands in the way: with any, nothing is begun. */
  readonly obstacles: readonly Obstacle[]
  /** How the tree is made, in this order. */
  readonly steps: readonly Step[]
  /** Bytes of the memory that we share with all tasks. */
  readonly arenaSize: number
  /** The lowest descriptor number above all that any task has in the end. */
  readonly firstFreeFd: number
}

/** Pure: asks nothing of the system, so that a plan can be made and printed by anyone. */
export function makePlan(model: RestoreModel, options: RestoreOptions): Plan {
  return {
    model,
    obstacles: findObstacles(model, options),
    steps: planTree(model.tasks, options.shellJob, sessionTerminals(model.terminals, model.tasks)),
    arenaSize: planArena(model),
    firstFreeFd: 1 + Math.max(2, ...model.tasks.map(highestFd)),
  }
}

const highestFd = ({ fds }: RestoreModel['tasks'][number]): number =>
  fds.reduce((highest, { fd }) => Math.max(highest, fd), -1)
