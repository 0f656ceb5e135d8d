/* SPDX-License-Identifier: MIT */
#include "ld/machine.h"

#include <elf.h>

#include "base/attr.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

/* e_flags that tell ABIs apart, as in the processors' supplements. */
#define ARM_FLOAT	0x600u
#define ARM_SOFT	0x200u
#define ARM_HARD	0x400u
#define RISCV_FLOAT	0x006u
#define RISCV_DOUBLE	0x004u
#define MIPS_N32	0x020u
#define MIPS_NAN2008	0x400u
#define LOONGARCH_FLOAT 0x007u
#define LOONGARCH_SOFT	0x001u

/* Of rows of one machine the first whose flags fit is taken. */
static const struct machine machines[] = {
    {EM_X86_64, true, .cache = 0x0303, .triplet = "x86_64-linux-gnu", .lib = "lib64",
     .loaders = {"/lib64/ld-linux-x86-64.so.2"}, .musl = "x86_64",
     .platforms = {"haswell", "xeon_phi", "x86_64"}, .subdirs = {"tls", "avx512_1"}},
    {EM_X86_64, false, .cache = 0x0803, .triplet = "x86_64-linux-gnux32", .lib = "libx32",
     .loaders = {"/libx32/ld-linux-x32.so.2"}, .musl = "x32",
     .platforms = {"haswell", "xeon_phi", "x86_64"}, .subdirs = {"tls", "avx512_1"}},
    {EM_386, false, .cache = 0x0003, .cache_also = 0x0001, .triplet = "i386-linux-gnu",
     .lib = "lib32", .loaders = {"/lib/ld-linux.so.2"}, .musl = "i386",
     .platforms = {"i686", "i586", "i486", "i386"}, .subdirs = {"tls", "sse2", "nosegneg"}},
    {EM_AARCH64, true, .cache = 0x0a03, .triplet = "aarch64-linux-gnu", .lib = "lib64",
     .loaders = {"/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-aarch64_be.so.1"}, .musl = "aarch64",
     .platforms = {"aarch64"}, .subdirs = {"tls", "atomics"}},
    {EM_ARM, false, ARM_FLOAT, ARM_HARD, .cache = 0x0903, .cache_also = 0x0003,
     .triplet = "arm-linux-gnueabihf", .lib = "lib", .loaders = {"/lib/ld-linux-armhf.so.3"},
     .musl = "armhf", .platforms = {"v8l", "v7l", "v6l"}, .subdirs = {"tls", "neon", "vfp"}},
    {EM_ARM, false, ARM_FLOAT, ARM_SOFT, .cache = 0x0b03, .cache_also = 0x0003,
     .triplet = "arm-linux-gnueabi", .lib = "lib", .loaders = {"/lib/ld-linux.so.3"}, .musl = "arm",
     .platforms = {"v7l", "v6l", "v5tel"}, .subdirs = {"tls", "vfp"}},
    {EM_ARM, false, .cache = 0x0003, .triplet = "arm-linux-gnueabi", .lib = "lib",
     .loaders = {"/lib/ld-linux.so.3", "/lib/ld-linux-armhf.so.3"}, .musl = "arm",
     .platforms = {"v7l", "v6l", "v5tel"}, .subdirs = {"tls", "vfp"}},
    {EM_RISCV, true, RISCV_FLOAT, RISCV_DOUBLE, .cache = 0x1003, .triplet = "riscv64-linux-gnu",
     .lib = "lib64/lp64d", .loaders = {"/lib/ld-linux-riscv64-lp64d.so.1"}, .musl = "riscv64"},
    {EM_RISCV, true, RISCV_FLOAT, 0, .cache = 0x0f03, .triplet = "riscv64-linux-gnu",
     .lib = "lib64/lp64", .loaders = {"/lib/ld-linux-riscv64-lp64.so.1"}, .musl = "riscv64-sf"},
    {EM_PPC64, true, .cache = 0x0503, .triplet = "powerpc64le-linux-gnu", .lib = "lib64",
     .loaders = {"/lib64/ld64.so.2", "/lib64/ld64.so.1"}, .musl = "powerpc64le",
     .platforms = {"power10", "power9", "power8"}, .subdirs = {"tls"}},
    {EM_PPC, false, .cache = 0x0003, .triplet = "powerpc-linux-gnu", .lib = "lib",
     .loaders = {"/lib/ld.so.1"}, .musl = "powerpc", .subdirs = {"tls"}},
    {EM_S390, true, .cache = 0x0403, .triplet = "s390x-linux-gnu", .lib = "lib64",
     .loaders = {"/lib/ld64.so.1"}, .musl = "s390x",
     .platforms = {"z16", "z15", "z14", "z13", "zEC12"}, .subdirs = {"tls"}},
    {EM_S390, false, .cache = 0x0003, .triplet = "s390-linux-gnu", .lib = "lib",
     .loaders = {"/lib/ld.so.1"}, .subdirs = {"tls"}},
    {EM_MIPS, true, MIPS_NAN2008, MIPS_NAN2008, .cache = 0x0e03,
     .triplet = "mipsisa64r6el-linux-gnuabi64", .lib = "lib64",
     .loaders = {"/lib64/ld-linux-mipsn8.so.1"}, .musl = "mipsisa64r6el"},
    {EM_MIPS, true, .cache = 0x0703, .triplet = "mips64el-linux-gnuabi64", .lib = "lib64",
     .loaders = {"/lib64/ld.so.1"}, .musl = "mips64el"},
    {EM_MIPS, false, MIPS_N32, MIPS_N32, .cache = 0x0603, .triplet = "mips64el-linux-gnuabin32",
     .lib = "lib32", .loaders = {"/lib32/ld.so.1"}, .musl = "mipsn32el"},
    {EM_MIPS, false, MIPS_N32, 0, .cache = 0x0003, .triplet = "mipsel-linux-gnu", .lib = "lib",
     .loaders = {"/lib/ld.so.1"}, .musl = "mipsel"},
    {EM_LOONGARCH, true, LOONGARCH_FLOAT, LOONGARCH_SOFT, .cache = 0x1103,
     .triplet = "loongarch64-linux-gnusf", .lib = "lib64/sf",
     .loaders = {"/lib64/ld-linux-loongarch-lp64s.so.1"}, .musl = "loongarch64-sf"},
    {EM_LOONGARCH, true, .cache = 0x1203, .triplet = "loongarch64-linux-gnu", .lib = "lib64",
     .loaders = {"/lib64/ld-linux-loongarch-lp64d.so.1"}, .musl = "loongarch64"},
    {EM_SPARCV9, true, .cache = 0x0103, .triplet = "sparc64-linux-gnu", .lib = "lib64",
     .loaders = {"/lib64/ld-linux.so.2"}, .subdirs = {"tls"}},
};

const struct machine *machine_of(uint16_t em, bool wide, uint32_t e_flags)
{
	static const struct machine unknown = {.lib = "lib"};

	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		const struct machine *m = &machines[i];
		if (m->em == em && m->wide == wide && (e_flags & m->mask) == m->value)
			return m;
	}
	return &unknown;
}

/* A row of any flags is that of objects that do not tell their ABI. */
bool machine_fits(const struct machine *a, const struct machine *b)
{
	bool same = a->em == b->em && a->wide == b->wide;
	return same && (a == b || !a->mask || !b->mask);
}
