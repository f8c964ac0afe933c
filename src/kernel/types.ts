/**
 * Numbers of different worlds are different types, so that one cannot be passed for another: an
 * address in a tracee is no address of ours, a descriptor of a task is none of ours, and a pid says
 * in which namespace it counts.
 */
declare const brand: unique symbol
type Brand<T, B> = T & { readonly [brand]: B }

/** Address in the memory of another task. */
export type TraceeAddr = Brand<bigint, 'TraceeAddr'>
/** Address in our own memory. */
export type LocalAddr = Brand<bigint, 'LocalAddr'>
/** Pid or tid as our own pid namespace counts it. */
export type HostPid = Brand<number, 'HostPid'>
/** Pid or tid as the task's own (innermost) pid namespace counts it; this is what images hold. */
export type NsPid = Brand<number, 'NsPid'>
/** Descriptor of our own process. */
export type LocalFd = Brand<number, 'LocalFd'>
/** Descriptor of another task. */
export type TraceeFd = Brand<number, 'TraceeFd'>
/** Id of one open file description in the images (`file_entry.id`). */
export type FileId = Brand<number, 'FileId'>

export const traceeAddr = (n: bigint | number): TraceeAddr => BigInt(n) as TraceeAddr
export const hostPid = (n: number): HostPid => n as HostPid
export const nsPid = (n: number): NsPid => n as NsPid
export const localFd = (n: number): LocalFd => n as LocalFd
export const traceeFd = (n: number): TraceeFd => n as TraceeFd
export const fileId = (n: number): FileId => n as FileId
