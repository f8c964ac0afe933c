/*
 * CPU state: registers hold known values while the program spins in assembly, which is where the
 * dump finds it nearly always; then they are compared bit by bit.
 */
#include "subject.h"
#include <asm/prctl.h>
#include <cpuid.h>

/* About 15 ms; the counter lies in memory, so that no register is spent on it. */
#define SPINS 8000000L
long spins;

#define SPIN "1: decq %[spins]\n jnz 1b\n"
#define SPIN_RIP "1: decq spins(%%rip)\n jnz 1b\n"

unsigned char bytes_in[4096] __attribute__((aligned(64)));
unsigned char bytes_out[4096] __attribute__((aligned(64)));

static void check_bytes(size_t size, const char *what)
{
	for (size_t i = 0; i < size; i++)
		if (bytes_in[i] != bytes_out[i]) {
			subject_bad("%s: byte %zu is %02x, was %02x", what, i, bytes_out[i], bytes_in[i]);
			return;
		}
}

uint64_t regs_in[16], regs_out[16];

/* All 15 registers but rsp, which is checked by coming back at all. */
static void spin_general(void)
{
	spins = SPINS;
	__asm__ volatile(
		"push %%rbp\n push %%rbx\n"
		"movq regs_in+0(%%rip), %%rax\n movq regs_in+8(%%rip), %%rbx\n"
		"movq regs_in+16(%%rip), %%rcx\n movq regs_in+24(%%rip), %%rdx\n"
		"movq regs_in+32(%%rip), %%rsi\n movq regs_in+40(%%rip), %%rdi\n"
		"movq regs_in+48(%%rip), %%rbp\n movq regs_in+56(%%rip), %%r8\n"
		"movq regs_in+64(%%rip), %%r9\n movq regs_in+72(%%rip), %%r10\n"
		"movq regs_in+80(%%rip), %%r11\n movq regs_in+88(%%rip), %%r12\n"
		"movq regs_in+96(%%rip), %%r13\n movq regs_in+104(%%rip), %%r14\n"
		"movq regs_in+112(%%rip), %%r15\n" SPIN_RIP
		"movq %%rax, regs_out+0(%%rip)\n movq %%rbx, regs_out+8(%%rip)\n"
		"movq %%rcx, regs_out+16(%%rip)\n movq %%rdx, regs_out+24(%%rip)\n"
		"movq %%rsi, regs_out+32(%%rip)\n movq %%rdi, regs_out+40(%%rip)\n"
		"movq %%rbp, regs_out+48(%%rip)\n movq %%r8, regs_out+56(%%rip)\n"
		"movq %%r9, regs_out+64(%%rip)\n movq %%r10, regs_out+72(%%rip)\n"
		"movq %%r11, regs_out+80(%%rip)\n movq %%r12, regs_out+88(%%rip)\n"
		"movq %%r13, regs_out+96(%%rip)\n movq %%r14, regs_out+104(%%rip)\n"
		"movq %%r15, regs_out+112(%%rip)\n"
		"pop %%rbx\n pop %%rbp\n" ::
			: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			  "r15", "cc", "memory");
}

static void general(void)
{
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		fill(regs_in, sizeof(regs_in), round);
		spin_general();
		for (int i = 0; i < 15; i++)
			CHECK(regs_in[i] == regs_out[i], "register %d is %lx, was %lx", i,
			      (long)regs_out[i], (long)regs_in[i]);
	}
}

static uint64_t flags_in, flags_out;

/* Direction and the id bit stay as they are through a loop; the arithmetic ones are made by it. */
static void flags(void)
{
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		flags_in = 0x202 | (round & 1 ? 0x400 : 0) | (round & 2 ? 0x200000 : 0) |
			   (round & 4 ? 0x40000 : 0);
		/* LOOP leaves all flags alone. */
		__asm__ volatile("mov %[n], %%rcx\n pushq %[in]\n popfq\n 1: loop 1b\n pushfq\n"
				 "popq %[out]\n cld\n pushq $0x202\n popfq\n"
				 : [out] "=m"(flags_out)
				 : [in] "m"(flags_in), [n] "r"(SPINS)
				 : "rcx", "cc", "memory");
		CHECK((flags_out & 0x240cd5) == (flags_in & 0x240cd5), "flags %lx, were %lx",
		      (long)flags_out, (long)flags_in);
	}
}

/* FXSAVE's picture: control, status, tags, opcode and pointers, eight registers, MXCSR, xmm. */
static void x87(void)
{
	static const double value = 1.0 / 3;
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		uint16_t control = 0x037f ^ (round % 4 << 10) ^ (round % 2 << 8);
		spins = SPINS;
		__asm__ volatile("fninit\n fldcw %[control]\n fldpi\n fldl2e\n fldln2\n fldl %[value]\n"
				 "fxsave64 %[in]\n" SPIN "fxsave64 %[out]\n fninit\n"
				 : [in] "=m"(*(char(*)[512])bytes_in), [out] "=m"(*(char(*)[512])bytes_out),
				   [spins] "+m"(spins)
				 : [control] "m"(control), [value] "m"(value)
				 : "cc", "memory");
		check_bytes(24, "control, status, tags, pointers");
		check_bytes(32 + 8 * 16, "x87 registers");
	}
}

/* An exception is pending, unmasked, and must be so afterwards. */
static void x87_status(void)
{
	uint16_t before, after;
	ready();
	while (next_busy_round()) {
		spins = SPINS;
		/* 1/0 with the exception masked sets ZE in the status word. */
		__asm__ volatile("fninit\n fld1\n fldz\n fdivrp\n fnstsw %[before]\n" SPIN
				 "fnstsw %[after]\n fninit\n"
				 : [before] "=m"(before), [after] "=m"(after), [spins] "+m"(spins)
				 :
				 : "cc", "memory");
		CHECK(before == after && (after & 4), "status %x, was %x", after, before);
	}
}

static void mmx(void)
{
	uint64_t in[8], out[8];
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		fill(in, sizeof(in), round);
		spins = SPINS;
		__asm__ volatile("movq 0(%[in]), %%mm0\n movq 8(%[in]), %%mm1\n movq 56(%[in]), %%mm7\n" SPIN
				 "movq %%mm0, 0(%[out])\n movq %%mm1, 8(%[out])\n movq %%mm7, 56(%[out])\n"
				 "emms\n"
				 : [spins] "+m"(spins)
				 : [in] "r"(in), [out] "r"(out)
				 : "cc", "memory");
		CHECK(in[0] == out[0] && in[1] == out[1] && in[7] == out[7], "MMX registers");
	}
}

#define EACH16(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15)
#define EACH32(M)                                                                                  \
	EACH16(M) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25) M(26) M(27) M(28)   \
	M(29) M(30) M(31)
#define LOAD_XMM(n) "movdqa " #n "*16+bytes_in(%%rip), %%xmm" #n "\n"
#define SAVE_XMM(n) "movdqa %%xmm" #n ", " #n "*16+bytes_out(%%rip)\n"
#define LOAD_YMM(n) "vmovdqa " #n "*32+bytes_in(%%rip), %%ymm" #n "\n"
#define SAVE_YMM(n) "vmovdqa %%ymm" #n ", " #n "*32+bytes_out(%%rip)\n"
#define LOAD_ZMM(n) "vmovdqa64 " #n "*64+bytes_in(%%rip), %%zmm" #n "\n"
#define SAVE_ZMM(n) "vmovdqa64 %%zmm" #n ", " #n "*64+bytes_out(%%rip)\n"
#define LOAD_K(n) "kmovq 2048+" #n "*8+bytes_in(%%rip), %%k" #n "\n"
#define SAVE_K(n) "kmovq %%k" #n ", 2048+" #n "*8+bytes_out(%%rip)\n"
#define EACH8(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

static void spin_sse(void)
{
	spins = SPINS;
	__asm__ volatile(EACH16(LOAD_XMM) SPIN_RIP EACH16(SAVE_XMM)::
				 : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
				   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
				   "xmm15");
}

__attribute__((target("avx"))) static void spin_avx(void)
{
	spins = SPINS;
	__asm__ volatile(EACH16(LOAD_YMM) SPIN_RIP EACH16(SAVE_YMM) "vzeroupper\n" ::
				 : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
				   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
				   "xmm15");
}

__attribute__((target("avx512f,avx512bw"))) static void spin_avx512(void)
{
	spins = SPINS;
	__asm__ volatile(EACH32(LOAD_ZMM) EACH8(LOAD_K) SPIN_RIP EACH32(SAVE_ZMM) EACH8(SAVE_K)
				 "vzeroupper\n" ::
				 : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
				   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
				   "xmm15");
}

static void spin_vectors(void (*spin)(void), size_t size, const char *what)
{
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		fill(bytes_in, size, round);
		spin();
		check_bytes(size, what);
	}
}

static void sse(void)
{
	spin_vectors(spin_sse, 256, "xmm registers");
}

static void avx(void)
{
	NEEDS(__builtin_cpu_supports("avx"), "AVX");
	spin_vectors(spin_avx, 512, "ymm registers");
}

static void avx512(void)
{
	NEEDS(__builtin_cpu_supports("avx512bw"), "AVX-512");
	spin_vectors(spin_avx512, 2048 + 64, "zmm and mask registers");
}

static void mxcsr(void)
{
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		/* Rounding, flush to zero, denormals are zero, one sticky flag; all masked. */
		uint32_t in = 0x1f80 | (round % 4) << 13 | (round & 4 ? 0x8000 : 0) |
			      (round & 8 ? 0x40 : 0) | (round & 1 ? 0x20 : 0),
			 out = 0;
		spins = SPINS;
		__asm__ volatile("ldmxcsr %[in]\n" SPIN "stmxcsr %[out]\n"
				 : [out] "=m"(out), [spins] "+m"(spins)
				 : [in] "m"(in)
				 : "cc", "memory");
		CHECK(in == out, "MXCSR %x, was %x", out, in);
		__asm__ volatile("ldmxcsr %0" ::"m"((uint32_t){0x1f80}));
	}
}

/* Each process and thread its own values. */
static void values_of_one(void *arg)
{
	unsigned seed = *(unsigned *)arg;
	ready();
	while (next_busy_round()) {
		uint64_t in[8] __attribute__((aligned(64))), out[8] __attribute__((aligned(64)));
		long left = SPINS / 3;
		fill(in, sizeof(in), seed);
		__asm__ volatile("movdqa 0(%[in]), %%xmm1\n movdqa 16(%[in]), %%xmm15\n"
				 "mov 32(%[in]), %%r12\n mov 40(%[in]), %%r11\n" SPIN
				 "movdqa %%xmm1, 0(%[out])\n movdqa %%xmm15, 16(%[out])\n"
				 "mov %%r12, 32(%[out])\n mov %%r11, 40(%[out])\n"
				 : [spins] "+m"(left)
				 : [in] "r"(in), [out] "r"(out)
				 : "cc", "memory", "xmm1", "xmm15", "r12", "r11");
		CHECK(memcmp(in, out, 48) == 0, "another's values");
		nap_ms(10);
	}
}

static void per_thread(void)
{
	unsigned seeds[4] = {1, 2, 3, 4};
	char name[16];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "thread-%d", i);
		threads[i] = start_thread(name, values_of_one, &seeds[i]);
	}
	unsigned child = 77, own = 99;
	start_child("child", values_of_one, &child);
	values_of_one(&own);
	for (int i = 0; i < 4; i++)
		join_thread(threads[i]);
	join_children();
}

/* gs by arch_prctl, fs as libc has it. */
static void gs_base(void)
{
	uint64_t place[4] = {0, 0x1122334455667788, 0, 0}, got = 0;
	unsigned long base = 0, fs = 0, fs_now = 0;
	syscall(SYS_arch_prctl, ARCH_GET_FS, &fs);
	REQUIRE(syscall(SYS_arch_prctl, ARCH_SET_GS, place) == 0, "ARCH_SET_GS");
	ready();
	while (next_round()) {
		syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
		syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_now);
		__asm__ volatile("movq %%gs:8, %0" : "=r"(got));
		CHECK(base == (unsigned long)place, "gs base %lx", base);
		CHECK(got == place[1], "gs:8 is %lx", (long)got);
		CHECK(fs == fs_now, "fs base %lx, was %lx", fs_now, fs);
	}
}

/* Segment selectors as such. */
static void selectors(void)
{
	uint16_t before[6], after[6];
	ready();
	for (bool first = true; next_round(); first = false) {
		__asm__ volatile("mov %%cs, %0\n mov %%ss, %1\n mov %%ds, %2\n mov %%es, %3\n mov %%fs, %4\n"
				 "mov %%gs, %5"
				 : "=m"(after[0]), "=m"(after[1]), "=m"(after[2]), "=m"(after[3]),
				   "=m"(after[4]), "=m"(after[5]));
		if (first)
			memcpy(before, after, sizeof(after));
		for (int i = 0; i < 6; i++)
			CHECK(before[i] == after[i], "selector %d is %x, was %x", i, after[i], before[i]);
	}
}

static bool has_pku(void)
{
	unsigned a, b, c = 0, d;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & 16);
}

static void pkru(void)
{
	NEEDS(has_pku(), "protection keys (PKU)");
	int key = pkey_alloc(0, 0);
	char *page = map_private(PAGE);
	REQUIRE(key > 0 && pkey_mprotect(page, PAGE, PROT_READ | PROT_WRITE, key) == 0, "pkey");
	strcpy(page, "kept");
	pkey_set(key, PKEY_DISABLE_WRITE);
	ready();
	while (next_round()) {
		CHECK(pkey_get(key) == PKEY_DISABLE_WRITE, "rights %d", pkey_get(key));
		CHECK(strcmp(page, "kept") == 0, "content");
	}
}

/* Registers that a syscall leaves alone are alone through one that is interrupted as well. */
static void across_syscall(void)
{
	ready();
	for (unsigned round = 0; next_busy_round(); round++) {
		struct timespec nap = {0, 20000000};
		uint64_t in[6], out[6];
		long result = SYS_nanosleep;
		fill(in, sizeof(in), round);
		__asm__ volatile("mov 0(%[in]), %%r12\n mov 8(%[in]), %%r13\n mov 16(%[in]), %%r14\n"
				 "mov 24(%[in]), %%r15\n mov 32(%[in]), %%r8\n mov 40(%[in]), %%r9\n"
				 "syscall\n"
				 "mov %%r12, 0(%[out])\n mov %%r13, 8(%[out])\n mov %%r14, 16(%[out])\n"
				 "mov %%r15, 24(%[out])\n mov %%r8, 32(%[out])\n mov %%r9, 40(%[out])\n"
				 : "+a"(result)
				 : "D"(&nap), "S"(NULL), "d"(0), [in] "b"(in), [out] "r"(out)
				 : "r8", "r9", "r11", "rcx", "r12", "r13", "r14", "r15", "memory", "cc");
		CHECK(result == 0 || result == -EINTR, "nanosleep gave %ld", result);
		CHECK(memcmp(in, out, sizeof(in)) == 0, "a register changed");
	}
}

SUBJECT({"general", general}, {"flags", flags}, {"x87", x87}, {"x87-status", x87_status},
	{"mmx", mmx}, {"sse", sse}, {"avx", avx}, {"avx512", avx512}, {"mxcsr", mxcsr},
	{"per-thread", per_thread}, {"gs-base", gs_base}, {"selectors", selectors}, {"pkru", pkru},
	{"across-syscall", across_syscall})
