/**
 * A device number is written in two ways: user space's (st_dev, st_rdev, stat of node:fs), and the
 * kernel's own, which upstream's images hold for mounts and which /proc/PID/stat nearly has.
 */

/** st_dev of a major and minor number: glibc's and the kernel's new_encode_dev for 12 and 20 bits. */
export const makeDev = (major: number, minor: number): number =>
  ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0

export const majorOf = (dev: number): number => (dev >>> 8) & 0xfff
export const minorOf = (dev: number): number => (dev & 0xff) | ((dev >>> 12) & 0xfff00)

/** The kernel's own form, MKDEV: the minor number in the low 20 bits. */
export const makeKernelDev = (major: number, minor: number): number => ((major << 20) | minor) >>> 0

export const kernelMajor = (kdev: number): number => kdev >>> 20
export const kernelMinor = (kdev: number): number => kdev & 0xfffff
