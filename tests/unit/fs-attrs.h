/* SPDX-License-Identifier: MIT */
/* Attributes as they lie on disk: an ACL and a file capability, without the libraries. */
#pragma once

#include <endian.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

struct acl {
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry e[5];
};

/* user::rwx user:1234:r-- group::--- mask::r-- other::---, as mode 0740 shows it. */
static inline struct acl acl_sample(void)
{
	struct acl a = {
	    .head = {htole32(POSIX_ACL_XATTR_VERSION)},
	    .e = {{htole16(ACL_USER_OBJ), htole16(7), htole32(ACL_UNDEFINED_ID)},
		  {htole16(ACL_USER), htole16(4), htole32(1234)},
		  {htole16(ACL_GROUP_OBJ), 0, htole32(ACL_UNDEFINED_ID)},
		  {htole16(ACL_MASK), htole16(4), htole32(ACL_UNDEFINED_ID)},
		  {htole16(ACL_OTHER), 0, htole32(ACL_UNDEFINED_ID)}},
	};
	return a;
}

static inline struct vfs_cap_data capability_sample(void)
{
	struct vfs_cap_data c = {
	    .magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
	    .data = {{htole32(1u << CAP_NET_BIND_SERVICE), 0}},
	};
	return c;
}
