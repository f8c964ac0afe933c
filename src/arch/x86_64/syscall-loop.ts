import { machineCode } from './machine-code.ts'

/**
 * The machine code that runs tables of system calls; the only code of ours that ever runs inside
 * another task. A unit test holds these bytes against what an assembler makes of the comments.
 *
 * A record is 64 bytes: `u32 nr; u32 flags; u64 args[6]; s64 ret`. Flag bit i (0 to 5): args[i] is the
 * byte offset, from the table's base, of a qword to use instead. Bit 6: go on after an error.
 *
 * On entry: rbx = first record, r12 = end of the records, r13 = base for references. No stack is used.
 * At the end rbx = r12, or the record that failed.
 */
export const RECORD_SIZE = 64
export const RECORD_ARGS = 8
export const RECORD_RET = 56
export const FLAG_GO_ON = 0x40

/** Ends in a fall through to whatever stands behind it. */
export const LOOP = machineCode(
  `
  4c39e3          /* loop: cmp rbx,r12            */
  7356            /*       jae done               */
  448b7304        /*       mov r14d,[rbx+4]       */
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
  48894338        /*       mov [rbx+56],rax       */
  483d01f0ffff    /*       cmp rax,-4095          */
  7206            /*       jb ok                  */
  41f6c640        /*       test r14b,0x40         */
  7406            /*       jz done                */
  4883c340        /* ok:   add rbx,64             */
  eba5            /*       jmp loop               */
`,
)

/** C function (nr, a0 … a5) → result or −errno: a raw system call. */
export const SYSCALL_THUNK = machineCode(
  '4889f8 4889f7 4889d6 4889ca 4d89c2 4d89c8 4c8b4c2408 0f05 c3',
)

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** C function (first record, end, base) → address of the record that failed, or the end. */
export const BATCH_THUNK = join(
  machineCode('53 4154 4155 4156 4889fb 4989f4 4989d5'), // push rbx,r12,r13,r14; mov rbx,rdi; mov r12,rsi; mov r13,rdx
  LOOP,
  machineCode('4889d8 415e 415d 415c 5b c3'), // mov rax,rbx; pop r14,r13,r12,rbx; ret
)

/**
 * C function (clone_args, size, first record, end, base) → pid or −errno. The child runs the records
 * and then exit(1), should none of them have replaced it by execveat.
 */
export const SPAWN_THUNK = join(
  machineCode('53 4154 4155 4156 4889d3 4989cc 4d89c5'), // push …; mov rbx,rdx; mov r12,rcx; mov r13,r8
  machineCode('b8b3010000 0f05 85c0 7408'), // mov eax,435 (clone3); syscall; test eax,eax; jz child
  machineCode('415e 415d 415c 5b c3'), // parent: pop …; ret
  LOOP,
  machineCode('bf01000000 b83c000000 0f05'), // mov edi,1; mov eax,60 (exit); syscall
)

/**
 * What stands behind LOOP in a tracee: `tgkill(tgid, tid, signal)` to itself, with a signal that it
 * ignores. With a tracer this is a stop; without one nothing, and the task goes on at the address
 * that follows. r15 = control block: +0 u32 tgid, +4 u32 tid, +8 u64 home, +16 u32 signal.
 */
export const STOP_AND_GO_HOME = machineCode(
  `
  418b3f          /* mov edi,[r15]      */
  418b7704        /* mov esi,[r15+4]    */
  418b5710        /* mov edx,[r15+16]   */
  b8ea000000      /* mov eax,234        */
  0f05            /* syscall            */
  41ff6708        /* jmp [r15+8]        */
`,
)

/** Loads the flags from the stack in user mode, where alone the ID flag can be set; then one call. */
export const SET_FLAGS_AND_CALL = machineCode(`
  9d              /* popfq   */
  0f05            /* syscall */
`)

/** Where the control block's fields stand. */
export const CONTROL = { tgid: 0, tid: 4, home: 8, signal: 16, size: 24 } as const
