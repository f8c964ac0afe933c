import { readCpuInfo } from '../arch/x86_64/cpu-info.ts'
import { ImageDirectory } from '../images/directory.ts'

/** Writes what the CPU is that we run on. */
export const writeCpuInfo = (images: ImageDirectory): void =>
  images.write('cpuinfo', [{ x86_entry: [readCpuInfo()] }])

/** `criu cpuinfo dump`: that image alone. */
export function dumpCpuInfo(imagesDir: string): void {
  using images = ImageDirectory.open(imagesDir)
  writeCpuInfo(images)
}
