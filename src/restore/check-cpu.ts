import { differences, missingInstructions, missingStates } from '../arch/x86_64/cpu-features.ts'
import { type CpuInfo, readCpuInfo } from '../arch/x86_64/cpu-info.ts'
import { fail } from '../errors/error.ts'
import { ImageDirectory } from '../images/directory.ts'
import type { Messages } from '../images/gen/messages.ts'
import type { CpuCap } from '../job/options.ts'

/**
 * Compares the CPU that the images come from with this one, as far as `--cpu-cap` asks for it. Without
 * the option the image is compared where it is there: programs die of instructions that are missing.
 */
export function checkCpu(images: ImageDirectory, cap: CpuCap): void {
  if (!cap.cpu && !cap.ins && !cap.fpu) return
  const entry = images.tryReadOne('cpuinfo')
  if (!entry && !cap.image) return
  const image = x86Entry(entry, images.pathOf('cpuinfo'))
  const here = readCpuInfo()
  const missing = [
    ...(cap.fpu ? missingStates(image, here) : []),
    ...(cap.ins ? missingInstructions(image, here) : []),
  ]
  if (missing.length > 0)
    refuse(`the images come from a CPU with ${list(missing)}, which this CPU does not have`)
  const other = cap.cpu ? differences(image, here) : []
  if (other.length > 0) refuse(`the images come from another CPU; it differs in: ${list(other)}`)
}

/** `criu cpuinfo check`: nothing else is read. */
export function checkCpuIn(imagesDir: string, cap: CpuCap): void {
  using images = ImageDirectory.open(imagesDir)
  if (!images.has('cpuinfo'))
    fail({
      code: 'image',
      file: images.pathOf('cpuinfo'),
      reason: 'there is no such file',
      remedy: 'criu cpuinfo dump writes it, and criu dump --cpu-cap',
    })
  checkCpu(images, cap)
}

function x86Entry(entry: Messages['cpuinfo_entry'] | undefined, file: string): CpuInfo {
  if (!entry)
    return fail({
      code: 'image',
      file,
      reason: 'there is no such file, and --cpu-cap asks for it',
      remedy: 'dump with --cpu-cap as well, or restore with --cpu-cap=fpu',
    })
  const [image] = entry.x86_entry
  return image ?? fail({ code: 'image', file, entry: 0, reason: 'it tells of no x86 CPU' })
}

const list = (names: readonly string[]): string => [...new Set(names)].join(', ')

const refuse = (reason: string): never =>
  fail({
    code: 'conflict',
    reason,
    remedy: 'restore on a like machine, or relax the check with --cpu-cap (none: no check)',
  })
