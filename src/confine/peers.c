/* SPDX-License-Identifier: MIT */
/* Each program is the same few steps, made by one generator for packets and for addresses:
 *
 *   key = the other side's address, put on the stack behind its full length in bits
 *   for each (table, verdict): found by longest prefix? return the verdict
 *   return the last verdict
 *
 * or, for bind(2), a comparison of protocol and port for each rule.
 *
 * No library assembles eBPF without a compiler for it; this is all of it. Tables are
 * BPF_MAP_TYPE_LPM_TRIE, one a family and list. */
#include "confine/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"

enum { PASS = 1, DROP = 0 };

void peers_done(struct peers *p)
{
	prefix_list_done(&p->allow);
	prefix_list_done(&p->deny);
	prefix_list_done(&p->connect_to);
	bind_rules_done(&p->bind_allow);
	bind_rules_done(&p->bind_deny);
	p->limits_connects = false;
}

bool peers_limited(const struct peers *p)
{
	return p->allow.n || p->deny.n || p->limits_connects || p->bind_deny.n;
}

static int call_bpf(int cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
	return r < 0 ? -errno : (int)r;
}

/* --- tables --- */

struct key {
	uint32_t bits;
	unsigned char address[16];
};

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static int put(int table, const struct key *k)
{
	uint8_t value = 1;
	union bpf_attr a = {
	    .map_fd = (uint32_t)table, .key = (uintptr_t)k, .value = (uintptr_t)&value};
	return call_bpf(BPF_MAP_UPDATE_ELEM, &a);
}

/* The ranges of @family; for AF_INET6 those of AF_INET too, as sockets of both write them:
 * ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2). */
static int make_table(const struct prefix_list *l, int family)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_LPM_TRIE,
			    .key_size = (uint32_t)(sizeof(uint32_t) + address_size(family)),
			    .value_size = 1,
			    .max_entries = (uint32_t)l->n + 1,
			    .map_flags = BPF_F_NO_PREALLOC};
	CLEANUP_FD int table = call_bpf(BPF_MAP_CREATE, &a);

	if (table < 0)
		return table;
	for (size_t i = 0; i < l->n; i++) {
		const struct prefix *p = &l->v[i];
		struct key k = {.bits = p->bits};
		if (p->family == family) {
			memcpy(k.address, p->address, address_size(family));
		} else if (family == AF_INET6) {
			k.bits += 96;
			k.address[10] = k.address[11] = 0xff;
			memcpy(k.address + 12, p->address, 4);
		} else {
			continue;
		}
		int r = put(table, &k);
		if (r < 0)
			return r;
	}
	return take_fd(&table);
}

/* --- programs --- */

#define INSNS_MAX 1200 /* twice 128 rules, each of at most four, and what is around them */

struct code {
	struct bpf_insn v[INSNS_MAX];
	size_t n;
};

/* The key on the stack, below the frame pointer r10. */
#define KEY   (-(int)sizeof(struct key))
#define INDEX (KEY - 4) /* of a counter */

static size_t emit(struct code *c, uint8_t op, uint8_t dst, uint8_t src, int off, int32_t imm)
{
	if (c->n < INSNS_MAX)
		c->v[c->n] = (struct bpf_insn){.code = op,
					       .dst_reg = dst & 15,
					       .src_reg = src & 15,
					       .off = (int16_t)off,
					       .imm = imm};
	return c->n++;
}

static void land(struct code *c, size_t jump)
{
	if (jump < INSNS_MAX)
		c->v[jump].off = (int16_t)(c->n - jump - 1);
}

static void emit_return(struct code *c, int verdict)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, verdict);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* if the key is in @table, return @verdict */
static void emit_lookup(struct code *c, int table, int verdict)
{
	emit(c, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, table);
	emit(c, 0, 0, 0, 0, 0); /* the upper half of the 64 bits */
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	emit(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, KEY);
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	size_t miss = emit(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_return(c, verdict);
	land(c, miss);
}

/* Counts in @counter, an array of one number. */
static void emit_count(struct code *c, int counter)
{
	emit(c, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, INDEX, 0);
	emit(c, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, counter);
	emit(c, 0, 0, 0, 0, 0);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
	emit(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, INDEX);
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	size_t none = emit(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1);
	emit(c, BPF_STX | BPF_XADD | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0);
	land(c, none);
}

static void emit_length(struct code *c, int family)
{
	emit(c, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, KEY, (int)address_size(family) * 8);
}

/* The address in the packet, r6, at @offset; what is too short passes: it is no packet of anybody.
 */
static void emit_load_packet(struct code *c, int family, int offset)
{
	emit_length(c, family);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, offset);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0);
	emit(c, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, KEY + (int)sizeof(uint32_t));
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, (int)address_size(family));
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	size_t loaded = emit(c, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_return(c, PASS);
	land(c, loaded);
}

/* The address that a call names, in its struct bpf_sock_addr, r6. */
static void emit_load_call(struct code *c, int family)
{
	int from = family == AF_INET ? (int)offsetof(struct bpf_sock_addr, user_ip4)
				     : (int)offsetof(struct bpf_sock_addr, user_ip6);

	emit_length(c, family);
	for (int i = 0; i < (int)address_size(family); i += 4) {
		emit(c, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_6, from + i, 0);
		emit(c, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_1, KEY + 4 + i, 0);
	}
}

struct tables {
	int allow, deny, connect_to;
	int refused, refused_binds; /* count, for both families */
};

/* Packets: of another family than the two there are no addresses to judge. */
static void make_packet_program(struct code *c, const struct tables *v4, const struct tables *v6,
				bool out)
{
	static const struct {
		int family, protocol, source, destination; /* of the headers, RFC 791, RFC 8200 */
	} rows[] = {{AF_INET, ETH_P_IP, 12, 16}, {AF_INET6, ETH_P_IPV6, 8, 24}};

	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_6,
	     (int)offsetof(struct __sk_buff, protocol), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct tables *t = rows[i].family == AF_INET ? v4 : v6;
		size_t other = emit(c, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_7, 0, 0,
				    htons((uint16_t)rows[i].protocol));
		emit_load_packet(c, rows[i].family, out ? rows[i].destination : rows[i].source);
		emit_lookup(c, t->allow, PASS);
		emit_lookup(c, t->deny, DROP);
		emit_return(c, PASS);
		land(c, other);
	}
	emit_return(c, PASS);
}

static void make_call_program(struct code *c, const struct tables *t, int family)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	emit_load_call(c, family);
	emit_lookup(c, t->connect_to, PASS);
	emit_count(c, t->refused);
	emit_return(c, DROP);
}

enum { PROTOCOL = BPF_REG_7, PORT = BPF_REG_8 }; /* of a bind */

/* Jumps to one place, which is still to come. */
struct jumps {
	size_t v[INSNS_MAX], n;
};

static void land_all(struct code *c, const struct jumps *from)
{
	for (size_t i = 0; i < from->n; i++)
		land(c, from->v[i]);
}

/* Goes to where @to will land if one of them is about what is bound. */
static void emit_rules(struct code *c, const struct bind_rules *l, int family, struct jumps *to)
{
	for (size_t i = 0; i < l->n && to->n < INSNS_MAX; i++) {
		const struct bind_rule *r = &l->v[i];
		size_t other[3], n = 0;
		if (r->family && r->family != family)
			continue;
		if (r->protocol)
			other[n++] =
			    emit(c, BPF_JMP | BPF_JNE | BPF_K, PROTOCOL, 0, 0, r->protocol);
		if (r->ports) {
			other[n++] = emit(c, BPF_JMP | BPF_JLT | BPF_K, PORT, 0, 0, r->low);
			other[n++] = emit(c, BPF_JMP | BPF_JGT | BPF_K, PORT, 0, 0, r->high);
		}
		/* Always; a plain jump would leave what follows unreachable, which the kernel
		 * refuses. */
		to->v[to->n++] = emit(c, BPF_JMP | BPF_JGE | BPF_K, PORT, 0, 0, 0);
		for (size_t k = 0; k < n; k++)
			land(c, other[k]);
	}
}

static void make_bind_program(struct code *c, const struct peers *p, const struct tables *t,
			      int family)
{
	struct jumps pass = {.n = 0}, drop = {.n = 0};

	emit(c, BPF_LDX | BPF_MEM | BPF_W, PROTOCOL, BPF_REG_1,
	     (int)offsetof(struct bpf_sock_addr, protocol), 0);
	emit(c, BPF_LDX | BPF_MEM | BPF_W, PORT, BPF_REG_1,
	     (int)offsetof(struct bpf_sock_addr, user_port), 0);
	emit(c, BPF_ALU | BPF_END | BPF_TO_BE, PORT, 0, 0, 16);
	emit_rules(c, &p->bind_allow, family, &pass);
	emit_rules(c, &p->bind_deny, family, &drop);
	land_all(c, &pass);
	emit_return(c, PASS);
	if (!drop.n)
		return;
	land_all(c, &drop);
	emit_count(c, t->refused_binds);
	emit_return(c, DROP);
}

static int attach(const struct code *c, int type, int where, int group)
{
	union bpf_attr load = {.prog_type = (uint32_t)type,
			       .expected_attach_type = (uint32_t)where,
			       .insns = (uintptr_t)c->v,
			       .insn_cnt = (uint32_t)c->n,
			       .license = (uintptr_t) "GPL"};
	CLEANUP_FD int program = c->n > INSNS_MAX ? -E2BIG : call_bpf(BPF_PROG_LOAD, &load);

	if (program < 0)
		return program;
	union bpf_attr a = {.target_fd = (uint32_t)group,
			    .attach_bpf_fd = (uint32_t)program,
			    .attach_type = (uint32_t)where,
			    .attach_flags = BPF_F_ALLOW_MULTI};
	return call_bpf(BPF_PROG_ATTACH, &a);
}

/* --- all of it --- */

static int open_group(const struct cgroup *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct statfs fs;
		CLEANUP_FD int fd = open(c->dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return take_fd(&fd);
	}
	return -EOPNOTSUPP;
}

static int attach_all(const struct peers *p, const struct tables *v4, const struct tables *v6,
		      int group)
{
	static const int packets[] = {BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS};
	static const struct {
		int family, where;
	} calls[] = {{AF_INET, BPF_CGROUP_INET4_CONNECT},
		     {AF_INET, BPF_CGROUP_UDP4_SENDMSG},
		     {AF_INET6, BPF_CGROUP_INET6_CONNECT},
		     {AF_INET6, BPF_CGROUP_UDP6_SENDMSG}},
	  binds[] = {{AF_INET, BPF_CGROUP_INET4_BIND}, {AF_INET6, BPF_CGROUP_INET6_BIND}};
	int r = 0;

	for (size_t i = 0; r >= 0 && (p->allow.n || p->deny.n) && i < ARRAY_LEN(packets); i++) {
		struct code c = {0};
		make_packet_program(&c, v4, v6, packets[i] == BPF_CGROUP_INET_EGRESS);
		r = attach(&c, BPF_PROG_TYPE_CGROUP_SKB, packets[i], group);
	}
	for (size_t i = 0; r >= 0 && p->limits_connects && i < ARRAY_LEN(calls); i++) {
		struct code c = {0};
		make_call_program(&c, calls[i].family == AF_INET ? v4 : v6, calls[i].family);
		r = attach(&c, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, calls[i].where, group);
	}
	for (size_t i = 0; r >= 0 && p->bind_deny.n && i < ARRAY_LEN(binds); i++) {
		struct code c = {0};
		make_bind_program(&c, p, v4, binds[i].family);
		r = attach(&c, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, binds[i].where, group);
	}
	return r < 0 ? r : 0;
}

static int make_counter(void)
{
	union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY,
			    .key_size = sizeof(uint32_t),
			    .value_size = sizeof(uint64_t),
			    .max_entries = 1};

	return call_bpf(BPF_MAP_CREATE, &a);
}

static int make_tables(const struct peers *p, int family, struct tables *t)
{
	t->allow = make_table(&p->allow, family);
	t->deny = make_table(&p->deny, family);
	t->connect_to = make_table(&p->connect_to, family);
	if (t->allow < 0 || t->deny < 0)
		return t->allow < 0 ? t->allow : t->deny;
	return t->connect_to < 0 ? t->connect_to : 0;
}

static void close_tables(struct tables *t)
{
	fd_close(&t->allow);
	fd_close(&t->deny);
	fd_close(&t->connect_to);
}

int peers_enforce(const struct peers *p, const struct cgroup *c, struct err *e)
{
	struct tables v4 CLEANUP(close_tables) = {-1, -1, -1, -1, -1},
			 v6 CLEANUP(close_tables) = v4;
	CLEANUP_FD int group = open_group(c);
	int r = group < 0 ? group : make_tables(p, AF_INET, &v4);

	if (r == 0)
		r = make_tables(p, AF_INET6, &v6);
	CLEANUP_FD int refused = r == 0 ? make_counter() : -1;
	CLEANUP_FD int refused_binds = r == 0 ? make_counter() : -1;
	if (r == 0 && (refused < 0 || refused_binds < 0))
		r = refused < 0 ? refused : refused_binds;
	v4.refused = v6.refused = refused;
	v4.refused_binds = v6.refused_binds = refused_binds;
	if (r == 0)
		r = attach_all(p, &v4, &v6, group);
	if (r < 0)
		return err_set(e, -EOPNOTSUPP,
			       "IPAddressAllow=, IPAddressDeny=, ConnectTo= or SocketBindDeny= "
			       "cannot be enforced: this host has no control group for it (%s; "
			       "immure check --host: peers)",
			       strerror(-r));
	return 0;
}

/* --- what was refused --- */

/* The number in the counter that program @id has, or -1. */
static long long count_of(uint32_t id)
{
	uint32_t maps[8] = {0}, zero = 0;
	struct bpf_prog_info info = {.nr_map_ids = ARRAY_LEN(maps), .map_ids = (uintptr_t)maps};
	union bpf_attr by_id = {.prog_id = id};
	CLEANUP_FD int program = call_bpf(BPF_PROG_GET_FD_BY_ID, &by_id);
	union bpf_attr look = {.info = {.bpf_fd = (uint32_t)program,
					.info_len = sizeof(info),
					.info = (uintptr_t)&info}};

	if (program < 0 || call_bpf(BPF_OBJ_GET_INFO_BY_FD, &look) < 0)
		return -1;
	for (size_t i = 0; i < info.nr_map_ids && i < ARRAY_LEN(maps); i++) {
		struct bpf_map_info m = {0};
		uint64_t n = 0;
		union bpf_attr map_id = {.map_id = maps[i]};
		CLEANUP_FD int map = call_bpf(BPF_MAP_GET_FD_BY_ID, &map_id);
		union bpf_attr what = {.info = {.bpf_fd = (uint32_t)map,
						.info_len = sizeof(m),
						.info = (uintptr_t)&m}};
		union bpf_attr get = {
		    .map_fd = (uint32_t)map, .key = (uintptr_t)&zero, .value = (uintptr_t)&n};
		if (map >= 0 && call_bpf(BPF_OBJ_GET_INFO_BY_FD, &what) == 0 &&
		    m.type == BPF_MAP_TYPE_ARRAY && m.value_size == sizeof(n) &&
		    call_bpf(BPF_MAP_LOOKUP_ELEM, &get) == 0)
			return (long long)n;
	}
	return -1;
}

/* Of the programs that hang @where on @group, the first that counts. */
static long long refused_at(int group, int where)
{
	uint32_t ids[16] = {0};
	union bpf_attr q = {.query = {.target_fd = (uint32_t)group,
				      .attach_type = (uint32_t)where,
				      .prog_ids = (uintptr_t)ids,
				      .prog_cnt = ARRAY_LEN(ids)}};

	if (group < 0 || call_bpf(BPF_PROG_QUERY, &q) < 0)
		return -1;
	for (size_t i = 0; i < q.query.prog_cnt && i < ARRAY_LEN(ids); i++) {
		long long n = count_of(ids[i]);
		if (n >= 0)
			return n;
	}
	return -1;
}

/* Which families it is about, the rules say: one number is for both. */
static long long refused_binds(int group)
{
	long long n = refused_at(group, BPF_CGROUP_INET4_BIND);
	return n >= 0 ? n : refused_at(group, BPF_CGROUP_INET6_BIND);
}

void peers_refused(pid_t pid, const char *name, struct peers_refused *ret)
{
	struct cgroup c CLEANUP(cgroup_forget) = CGROUP_INIT;

	cgroup_of(pid, name, &c);
	CLEANUP_FD int group = open_group(&c);
	ret->connects = refused_at(group, BPF_CGROUP_INET4_CONNECT);
	ret->binds = refused_binds(group);
}
