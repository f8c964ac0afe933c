import { machineCode } from './machine-code.ts'

/** Flag of a record: it is an i386 call, made by `int 0x80`; its arguments are no references. */
export const FLAG_I386 = 0x80

/**
 * The loop of a task that is being restored: LOOP, and beside it calls of i386. Some state can only be
 * set in the ABI that it is of: a 32-bit program's signal actions and robust list.
 */
export const MIXED_LOOP = machineCode(
  `
  4c39e3          /* loop: cmp rbx,r12            */
  0f8386000000    /*       jae done               */
  448b7304        /*       mov r14d,[rbx+4]       */
  4584f6          /*       test r14b,r14b         */
  7852            /*       js narrow              */
  31c9            /*       xor ecx,ecx            */
  410fa3ce        /* arg:  bt r14d,ecx            */
  730f            /*       jnc next               */
  488b44cb08      /*       mov rax,[rbx+rcx*8+8]  */
  498b440500      /*       mov rax,[r13+rax]      */
  488944cb08      /*       mov [rbx+rcx*8+8],rax  */
  ffc1            /* next: inc ecx                */
  83f906          /*       cmp ecx,6              */
  72e4            /*       jb arg                 */
  8b03            /*       mov eax,[rbx]          */
  488b7b08        /*       mov rdi,[rbx+8]        */
  488b7310        /*       mov rsi,[rbx+16]       */
  488b5318        /*       mov rdx,[rbx+24]       */
  4c8b5320        /*       mov r10,[rbx+32]       */
  4c8b4328        /*       mov r8,[rbx+40]        */
  4c8b4b30        /*       mov r9,[rbx+48]        */
  0f05            /*       syscall                */
  48894338        /* store: mov [rbx+56],rax      */
  483d01f0ffff    /*       cmp rax,-4095          */
  7206            /*       jb ok                  */
  41f6c640        /*       test r14b,0x40         */
  7431            /*       jz done                */
  4883c340        /* ok:   add rbx,64             */
  eb9c            /*       jmp loop               */
  4989de          /* narrow: mov r14,rbx          */
  418b06          /*       mov eax,[r14]          */
  418b5e08        /*       mov ebx,[r14+8]        */
  418b4e10        /*       mov ecx,[r14+16]       */
  418b5618        /*       mov edx,[r14+24]       */
  418b7620        /*       mov esi,[r14+32]       */
  418b7e28        /*       mov edi,[r14+40]       */
  418b6e30        /*       mov ebp,[r14+48]       */
  cd80            /*       int 0x80               */
  4898            /*       cdqe                   */
  4c89f3          /*       mov rbx,r14            */
  448b7304        /*       mov r14d,[rbx+4]       */
  ebbd            /*       jmp store              */
`,
)

const placeOf = (instruction: readonly number[]): number =>
  Buffer.from(MIXED_LOOP).indexOf(Buffer.from(instruction))

/** Where in it a `syscall` and an `int 0x80` stand, for single calls. */
export const SYSCALL_AT = placeOf([0x0f, 0x05])
export const INT80_AT = placeOf([0xcd, 0x80])
