import { machineCode } from './machine-code.ts'

/**
 * C function (nr, a0 … a5) → result or −errno: a system call of i386 by our own process. What only a
 * 32-bit program is asked, such as its robust list, the 64-bit ABI has no call for.
 */
export const SYSCALL32_THUNK = machineCode(
  `
  53        /* push rbx       */
  55        /* push rbp       */
  89f8      /* mov eax,edi    */
  89f3      /* mov ebx,esi    */
  4189d2    /* mov r10d,edx   */
  89ca      /* mov edx,ecx    */
  4489d1    /* mov ecx,r10d   */
  4489c6    /* mov esi,r8d    */
  4489cf    /* mov edi,r9d    */
  8b6c2418  /* mov ebp,[rsp+24] */
  cd80      /* int 0x80       */
  4898      /* cdqe           */
  5d        /* pop rbp        */
  5b        /* pop rbx        */
  c3        /* ret            */
`,
)
