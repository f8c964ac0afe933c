import { array, bytes, i16, i32, i64, layout, u8, u16, u32, u64 } from './layout.ts'
import { userRegs } from './registers.ts'

/** Elf64_Ehdr (elf.h). */
export const elfHeader = layout({
  ident: bytes(16),
  type: u16,
  machine: u16,
  version: u32,
  entry: u64,
  phoff: u64,
  shoff: u64,
  flags: u32,
  ehsize: u16,
  phentsize: u16,
  phnum: u16,
  shentsize: u16,
  shnum: u16,
  shstrndx: u16,
})

/** Elf64_Phdr. */
export const elfProgramHeader = layout({
  type: u32,
  flags: u32,
  offset: u64,
  vaddr: u64,
  paddr: u64,
  filesz: u64,
  memsz: u64,
  align: u64,
})

/** Elf64_Shdr. */
export const elfSectionHeader = layout({
  name: u32,
  type: u32,
  flags: u64,
  addr: u64,
  offset: u64,
  size: u64,
  link: u32,
  info: u32,
  addralign: u64,
  entsize: u64,
})

/** Elf64_Nhdr: sizes without padding. */
export const elfNote = layout({ namesz: u32, descsz: u32, type: u32 })

const seconds = layout({ sec: i64, usec: i64 })

/** struct elf_prstatus (sys/procfs.h): NT_PRSTATUS of a core file. */
export const elfPrstatus = layout({
  info: layout({ signo: i32, code: i32, errno: i32 }),
  cursig: i16,
  sigpend: u64,
  sighold: u64,
  pid: i32,
  ppid: i32,
  pgrp: i32,
  sid: i32,
  utime: seconds,
  stime: seconds,
  cutime: seconds,
  cstime: seconds,
  reg: userRegs,
  fpvalid: i32,
})

/** struct elf_prpsinfo (sys/procfs.h): NT_PRPSINFO. */
export const elfPrpsinfo = layout({
  state: u8,
  sname: u8,
  zomb: u8,
  nice: u8,
  flag: u64,
  uid: u32,
  gid: u32,
  pid: i32,
  ppid: i32,
  pgrp: i32,
  sid: i32,
  fname: array(u8, 16),
  psargs: array(u8, 80),
})
