import { machineCode } from './machine-code.ts'

/**
 * C function (leaf, subleaf, out) → 0: the cpuid instruction. `out` receives eax, ebx, ecx, edx. A
 * unit test holds these bytes against what an assembler makes of the comments.
 */
export const CPUID_THUNK = machineCode(
  `
    53              /* push rbx         */
    4989d0          /* mov r8,rdx       */
    89f8            /* mov eax,edi      */
    89f1            /* mov ecx,esi      */
    0fa2            /* cpuid            */
    418900          /* mov [r8],eax     */
    41895804        /* mov [r8+4],ebx   */
    41894808        /* mov [r8+8],ecx   */
    4189500c        /* mov [r8+12],edx  */
    31c0            /* xor eax,eax      */
    5b              /* pop rbx          */
    c3              /* ret              */
    `,
)

export interface CpuidResult {
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}
