/* SPDX-License-Identifier: MIT */
/* Symbol versions: which an object needs of which library, and which it defines. The structures are
 * the same for both widths. */
#include <errno.h>

#include "base/alloc.h"
#include "elf/object-parts.h"

/* Honest objects need some 30 and define some 50. */
#define VERSIONS_MAX 4096

static const struct elf_field vn_cnt = ELF_FIELD(Verneed, vn_cnt);
static const struct elf_field vn_file = ELF_FIELD(Verneed, vn_file);
static const struct elf_field vn_aux = ELF_FIELD(Verneed, vn_aux);
static const struct elf_field vn_next = ELF_FIELD(Verneed, vn_next);
static const struct elf_field vna_flags = ELF_FIELD(Vernaux, vna_flags);
static const struct elf_field vna_name = ELF_FIELD(Vernaux, vna_name);
static const struct elf_field vna_next = ELF_FIELD(Vernaux, vna_next);
static const struct elf_field vd_flags = ELF_FIELD(Verdef, vd_flags);
static const struct elf_field vd_aux = ELF_FIELD(Verdef, vd_aux);
static const struct elf_field vd_next = ELF_FIELD(Verdef, vd_next);
static const struct elf_field vda_name = ELF_FIELD(Verdaux, vda_name);

/* Lists are linked by distances from the entry at hand; 0 ends them. */
static bool step(uint64_t *at, uint64_t distance)
{
	*at += distance;
	return distance != 0;
}

static int add_version(const struct dynamic *d, struct elf_object *o, const char *file,
		       const uint8_t *aux)
{
	const struct elf_layout l = d->header.layout;
	const char *name = dynamic_string(d, elf_get(aux, vna_name, l));

	if (!name || o->n_versions >= VERSIONS_MAX)
		return -ENOEXEC;
	if ((o->n_versions & (o->n_versions - 1)) == 0)
		o->versions = xrealloc(o->versions, 2 * o->n_versions + 1, sizeof(*o->versions));
	o->versions[o->n_versions++] =
	    (struct elf_version){.file = xstrdup(file),
				 .name = xstrdup(name),
				 .weak = elf_get(aux, vna_flags, l) & VER_FLG_WEAK};
	return 0;
}

static int read_needed_of(struct dynamic *d, struct elf_object *o, uint64_t at, const uint8_t *need)
{
	const struct elf_layout l = d->header.layout;
	const char *file = dynamic_string(d, elf_get(need, vn_file, l));
	uint8_t aux[sizeof(Elf64_Vernaux)];
	int r = file ? 0 : -ENOEXEC;

	at += elf_get(need, vn_aux, l);
	for (uint64_t n = elf_get(need, vn_cnt, l); r == 0 && n; n--) {
		r = dynamic_get(d, at, sizeof(aux), aux);
		if (r == 0)
			r = add_version(d, o, file, aux);
		if (r == 0 && !step(&at, elf_get(aux, vna_next, l)))
			break;
	}
	return r;
}

static int read_needed(struct dynamic *d, struct elf_object *o)
{
	uint64_t at = d->slots[DYNAMIC_VERNEED];
	uint8_t need[sizeof(Elf64_Verneed)];
	int r = 0;

	for (uint64_t n = at ? d->slots[DYNAMIC_VERNEEDNUM] : 0; r == 0 && n; n--) {
		r = n > VERSIONS_MAX ? -ENOEXEC : dynamic_get(d, at, sizeof(need), need);
		if (r == 0)
			r = read_needed_of(d, o, at, need);
		if (r == 0 && !step(&at, elf_get(need, vn_next, d->header.layout)))
			break;
	}
	return r;
}

/* The first auxiliary entry names the version, the others what it inherits from. */
static int add_definition(struct dynamic *d, struct elf_object *o, uint64_t at, const uint8_t *def)
{
	const struct elf_layout l = d->header.layout;
	uint8_t aux[sizeof(Elf64_Verdaux)];
	int r = dynamic_get(d, at + elf_get(def, vd_aux, l), sizeof(aux), aux);

	if (r < 0)
		return r;
	const char *name = dynamic_string(d, elf_get(aux, vda_name, l));
	if (!name)
		return -ENOEXEC;
	strv_add(&o->defines, name);
	return 0;
}

static int read_defined(struct dynamic *d, struct elf_object *o)
{
	const struct elf_layout l = d->header.layout;
	uint64_t at = d->slots[DYNAMIC_VERDEF];
	uint8_t def[sizeof(Elf64_Verdef)];
	int r = 0;

	for (uint64_t n = at ? d->slots[DYNAMIC_VERDEFNUM] : 0; r == 0 && n; n--) {
		r = n > VERSIONS_MAX ? -ENOEXEC : dynamic_get(d, at, sizeof(def), def);
		/* The base is the file's own name, not a version. */
		if (r == 0 && !(elf_get(def, vd_flags, l) & VER_FLG_BASE))
			r = add_definition(d, o, at, def);
		if (r == 0 && !step(&at, elf_get(def, vd_next, l)))
			break;
	}
	return r;
}

int object_versions(struct dynamic *d, struct elf_object *o)
{
	int r = read_needed(d, o);
	return r < 0 ? r : read_defined(d, o);
}
