/* SPDX-License-Identifier: MIT */
/* Makes small ELF files for tests: any machine, width and byte order, with the dynamic section that
 * is asked for and nothing that could run. */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MADE_LIST_MAX 8

enum made_hash { MADE_GNU_HASH, MADE_HASH, MADE_NO_HASH, MADE_EMPTY_GNU_HASH };

struct made_need {
	const char *file, *version;
	bool weak;
};

/* What the file says; all that is zero is absent. Lists end with NULL. */
struct elf_recipe {
	bool narrow, big; /* 32 bits; big-endian */
	uint16_t machine; /* 0: EM_X86_64 */
	uint16_t type;	  /* 0: ET_DYN */
	uint32_t flags;
	bool no_dynamic;
	const char *interp, *soname, *rpath, *runpath;
	const char *needed[MADE_LIST_MAX], *filters[MADE_LIST_MAX], *auxiliaries[MADE_LIST_MAX];
	const char *imports[MADE_LIST_MAX], *exports[MADE_LIST_MAX], *defines[MADE_LIST_MAX];
	struct made_need needs[MADE_LIST_MAX];
	uint64_t flags_1;
	enum made_hash hash;
	const char *data; /* read-only data, @data_len bytes */
	size_t data_len;
};

/* Where the file is loaded: that addresses are no offsets is half of the reader's work. */
#define MADE_BASE 0x10000u
#define MADE_MAX  8192u

struct made_elf {
	uint8_t b[MADE_MAX];
	size_t n;
	bool wide, big;
	/* The dynamic section and its strings, while they grow. */
	uint64_t tags[64], values[64];
	size_t n_tags;
	char strings[2048];
	size_t n_strings;
};

static inline void made_number(struct made_elf *m, size_t at, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		m->b[at + (m->big ? size - 1 - i : i)] = (uint8_t)(value >> (8 * i));
}

#define MADE_SET(m, at, type, name, value)                                                         \
	((m)->wide ? made_number(m, (at) + offsetof(Elf64_##type, name),                           \
				 sizeof(((Elf64_##type *)0)->name), value)                         \
		   : made_number(m, (at) + offsetof(Elf32_##type, name),                           \
				 sizeof(((Elf32_##type *)0)->name), value))
#define MADE_SIZE(m, type) ((m)->wide ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

/* Room of @size bytes at the end: its offset. */
static inline size_t made_room(struct made_elf *m, size_t size)
{
	size_t at = (m->n + 7) / 8 * 8;

	if (at + size > MADE_MAX)
		abort();
	m->n = at + size;
	return at;
}

static inline size_t made_word(struct made_elf *m, size_t at, uint32_t value)
{
	made_number(m, at, 4, value);
	return at + 4;
}

static inline uint32_t made_string(struct made_elf *m, const char *s)
{
	size_t at = m->n_strings;

	memcpy(m->strings + at, s, strlen(s) + 1);
	m->n_strings += strlen(s) + 1;
	return (uint32_t)at;
}

static inline void made_tag(struct made_elf *m, uint64_t tag, uint64_t value)
{
	m->tags[m->n_tags] = tag;
	m->values[m->n_tags++] = value;
}

static inline void made_name(struct made_elf *m, uint64_t tag, const char *s)
{
	if (s)
		made_tag(m, tag, made_string(m, s));
}

static inline void made_names(struct made_elf *m, uint64_t tag, const char *const *list)
{
	for (; *list; list++)
		made_name(m, tag, *list);
}

static inline void made_symbol(struct made_elf *m, size_t at, const char *name, bool defined)
{
	MADE_SET(m, at, Sym, st_name, made_string(m, name));
	MADE_SET(m, at, Sym, st_info, STB_GLOBAL << 4 | STT_FUNC);
	MADE_SET(m, at, Sym, st_shndx, defined ? 1 : SHN_UNDEF);
}

static inline void made_hash_table(struct made_elf *m, enum made_hash kind, size_t first, size_t n)
{
	bool gnu = kind == MADE_GNU_HASH && first < n;
	size_t at = made_room(m, 64 + 4 * n);

	if (kind == MADE_NO_HASH)
		return;
	made_tag(m, kind == MADE_HASH ? DT_HASH : DT_GNU_HASH, MADE_BASE + at);
	at = made_word(m, at, 1);
	at = made_word(m, at, (uint32_t)(kind == MADE_HASH ? n : gnu ? first : 1));
	if (kind == MADE_HASH)
		return;
	at = made_word(m, at, 1); /* bloom words, shift, bloom */
	at = made_word(m, at, 0) + (m->wide ? 8 : 4);
	at = made_word(m, at, gnu ? (uint32_t)first : 0);
	for (size_t i = first; gnu && i < n; i++)
		at = made_word(m, at, (uint32_t)(i << 1 | (i + 1 == n)));
}

static inline void made_symbols(struct made_elf *m, const struct elf_recipe *r)
{
	size_t size = MADE_SIZE(m, Sym), first = 1, n = 1;

	while (r->imports[first - 1])
		first++;
	for (n = first; r->exports[n - first];)
		n++;
	size_t at = made_room(m, n * size);
	made_tag(m, DT_SYMTAB, MADE_BASE + at);
	made_tag(m, DT_SYMENT, size);
	for (size_t i = 1; i < n; i++)
		made_symbol(m, at + i * size, i < first ? r->imports[i - 1] : r->exports[i - first],
			    i >= first);
	made_hash_table(m, r->hash, first, n);
}

static inline void made_verneed(struct made_elf *m, const struct elf_recipe *r)
{
	const size_t size = sizeof(Elf64_Verneed) + sizeof(Elf64_Vernaux);
	size_t n = 0;

	while (r->needs[n].file)
		n++;
	if (!n)
		return;
	size_t at = made_room(m, n * size);
	made_tag(m, DT_VERNEED, MADE_BASE + at);
	made_tag(m, DT_VERNEEDNUM, n);
	for (size_t i = 0; i < n; i++, at += size) {
		size_t aux = at + sizeof(Elf64_Verneed);
		MADE_SET(m, at, Verneed, vn_version, 1);
		MADE_SET(m, at, Verneed, vn_cnt, 1);
		MADE_SET(m, at, Verneed, vn_file, made_string(m, r->needs[i].file));
		MADE_SET(m, at, Verneed, vn_aux, sizeof(Elf64_Verneed));
		MADE_SET(m, at, Verneed, vn_next, i + 1 < n ? size : 0);
		MADE_SET(m, aux, Vernaux, vna_flags, r->needs[i].weak ? VER_FLG_WEAK : 0);
		MADE_SET(m, aux, Vernaux, vna_name, made_string(m, r->needs[i].version));
	}
}

/* The first definition is the base, as linkers write it. */
static inline void made_verdef(struct made_elf *m, const struct elf_recipe *r)
{
	const size_t size = sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux);
	size_t n = 0;

	while (r->defines[n])
		n++;
	if (!n)
		return;
	size_t at = made_room(m, (n + 1) * size);
	made_tag(m, DT_VERDEF, MADE_BASE + at);
	made_tag(m, DT_VERDEFNUM, n + 1);
	for (size_t i = 0; i <= n; i++, at += size) {
		const char *name = i ? r->defines[i - 1] : "base";
		MADE_SET(m, at, Verdef, vd_version, 1);
		MADE_SET(m, at, Verdef, vd_flags, i ? 0 : VER_FLG_BASE);
		MADE_SET(m, at, Verdef, vd_cnt, 1);
		MADE_SET(m, at, Verdef, vd_aux, sizeof(Elf64_Verdef));
		MADE_SET(m, at, Verdef, vd_next, i < n ? size : 0);
		MADE_SET(m, at + sizeof(Elf64_Verdef), Verdaux, vda_name, made_string(m, name));
	}
}

static inline void made_segment(struct made_elf *m, size_t i, uint32_t type, size_t at, size_t n)
{
	size_t ph = MADE_SIZE(m, Ehdr) + i * MADE_SIZE(m, Phdr);

	MADE_SET(m, ph, Phdr, p_type, type);
	MADE_SET(m, ph, Phdr, p_flags, PF_R);
	MADE_SET(m, ph, Phdr, p_offset, at);
	MADE_SET(m, ph, Phdr, p_vaddr, MADE_BASE + at);
	MADE_SET(m, ph, Phdr, p_filesz, n);
	MADE_SET(m, ph, Phdr, p_memsz, n);
}

static inline void made_dynamic(struct made_elf *m, const struct elf_recipe *r)
{
	made_names(m, DT_NEEDED, r->needed);
	made_names(m, DT_FILTER, r->filters);
	made_names(m, DT_AUXILIARY, r->auxiliaries);
	made_name(m, DT_SONAME, r->soname);
	made_name(m, DT_RPATH, r->rpath);
	made_name(m, DT_RUNPATH, r->runpath);
	if (r->flags_1)
		made_tag(m, DT_FLAGS_1, r->flags_1);
	made_symbols(m, r);
	made_verneed(m, r);
	made_verdef(m, r);
	size_t strings = made_room(m, m->n_strings);
	memcpy(m->b + strings, m->strings, m->n_strings);
	made_tag(m, DT_STRTAB, MADE_BASE + strings);
	made_tag(m, DT_STRSZ, m->n_strings);
	made_tag(m, DT_NULL, 0);
	size_t size = MADE_SIZE(m, Dyn), at = made_room(m, m->n_tags * size);
	for (size_t i = 0; i < m->n_tags; i++) {
		MADE_SET(m, at + i * size, Dyn, d_tag, m->tags[i]);
		MADE_SET(m, at + i * size, Dyn, d_un, m->values[i]);
	}
	made_segment(m, 1, PT_DYNAMIC, at, m->n_tags * size);
}

static inline struct made_elf made_elf(const struct elf_recipe *r)
{
	struct made_elf m = {.wide = !r->narrow, .big = r->big, .n_strings = 1};

	memcpy(m.b, ELFMAG, SELFMAG);
	m.b[EI_CLASS] = m.wide ? ELFCLASS64 : ELFCLASS32;
	m.b[EI_DATA] = m.big ? ELFDATA2MSB : ELFDATA2LSB;
	m.b[EI_VERSION] = EV_CURRENT;
	MADE_SET(&m, 0, Ehdr, e_type, r->type ? r->type : ET_DYN);
	MADE_SET(&m, 0, Ehdr, e_machine, r->machine ? r->machine : EM_X86_64);
	MADE_SET(&m, 0, Ehdr, e_flags, r->flags);
	MADE_SET(&m, 0, Ehdr, e_phoff, MADE_SIZE(&m, Ehdr));
	MADE_SET(&m, 0, Ehdr, e_phentsize, MADE_SIZE(&m, Phdr));
	MADE_SET(&m, 0, Ehdr, e_phnum, 3);
	MADE_SET(&m, 0, Ehdr, e_version, EV_CURRENT);
	MADE_SET(&m, 0, Ehdr, e_ehsize, MADE_SIZE(&m, Ehdr));
	m.n = MADE_SIZE(&m, Ehdr) + 3 * MADE_SIZE(&m, Phdr);
	if (r->data_len)
		memcpy(m.b + made_room(&m, r->data_len), r->data, r->data_len);
	if (r->interp) {
		size_t n = strlen(r->interp) + 1, at = made_room(&m, n);
		memcpy(m.b + at, r->interp, n);
		made_segment(&m, 2, PT_INTERP, at, n);
	}
	if (!r->no_dynamic)
		made_dynamic(&m, r);
	made_segment(&m, 0, PT_LOAD, 0, m.n);
	return m;
}
