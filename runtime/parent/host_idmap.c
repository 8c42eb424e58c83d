#include "parent/host_idmap.h"

#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"

#define NTFS3_MAGIC 0x7366746e
#define ZFS_MAGIC 0x2fc12fc1

/* mount_setattr(2), "ID-mapped mounts", and the kernel's history (FS_ALLOW_IDMAP). A FUSE file system can since 6.12 where its
 * daemon says so, a ZFS since OpenZFS 2.2: neither can be told from here. ext2's magic is that of ext4, which mounts it. */
static const struct host_idmap_row table[] = {
	{ "btrfs", BTRFS_SUPER_MAGIC, HOST_IDMAP_VERSION(5, 15) },
	{ "ceph", CEPH_SUPER_MAGIC, HOST_IDMAP_VERSION(6, 7) },
	{ "cifs", CIFS_SUPER_MAGIC, 0 },
	{ "erofs", EROFS_SUPER_MAGIC_V1, HOST_IDMAP_VERSION(5, 19) },
	{ "ext4", EXT4_SUPER_MAGIC, HOST_IDMAP_VERSION(5, 12) },
	{ "f2fs", F2FS_SUPER_MAGIC, HOST_IDMAP_VERSION(5, 18) },
	{ "fuse", FUSE_SUPER_MAGIC, 0 },
	{ "nfs", NFS_SUPER_MAGIC, 0 },
	{ "ntfs3", NTFS3_MAGIC, HOST_IDMAP_VERSION(5, 15) },
	{ "overlay", OVERLAYFS_SUPER_MAGIC, 0 },
	{ "ramfs", RAMFS_MAGIC, 0 },
	{ "smb3", SMB2_SUPER_MAGIC, 0 },
	{ "squashfs", SQUASHFS_MAGIC, HOST_IDMAP_VERSION(6, 2) },
	{ "tmpfs", TMPFS_MAGIC, HOST_IDMAP_VERSION(6, 3) },
	{ "vfat", MSDOS_SUPER_MAGIC, HOST_IDMAP_VERSION(5, 12) },
	{ "virtiofs", FUSE_SUPER_MAGIC, 0 },
	{ "9p", V9FS_MAGIC, 0 },
	{ "xfs", XFS_SUPER_MAGIC, HOST_IDMAP_VERSION(5, 12) },
	{ "zfs", ZFS_MAGIC, 0 },
	{ 0 },
};

unsigned host_idmap_kernel(void)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return HOST_IDMAP_VERSION(major, minor);
}

bool host_idmap_supported(uint32_t file_system, unsigned kernel)
{
	for (const struct host_idmap_row *row = table; row->type; row++) {
		if (row->file_system == file_system)
			return row->since && kernel >= row->since;
	}
	return false;
}

bool host_idmap_type_supported(const char *type, unsigned kernel)
{
	for (const struct host_idmap_row *row = table; row->type; row++) {
		if (strcmp(row->type, type) == 0)
			return row->since && kernel >= row->since;
	}
	return false;
}

struct at {
	unsigned kernel;
	int (*look)(const char *path, struct statfs *ret);
};

static bool is_supported_at(const struct at *at, const char *path)
{
	struct statfs status;

	return at->look(path, &status) == 0 && host_idmap_supported((uint32_t)status.f_type, at->kernel);
}

bool host_idmap_root_supported(const struct plan_root_mount *root, unsigned kernel,
			       int (*look)(const char *path, struct statfs *ret))
{
	const struct at at = { kernel, look };
	bool is = kernel >= HOST_IDMAP_LAYERS_SINCE;

	if (root->mount.kind == PLAN_MOUNT_BIND)
		return is_supported_at(&at, root->mount.source);
	if (!root->is_overlay)
		return host_idmap_type_supported(root->mount.type, kernel);
	for (size_t i = 0; is && i < root->n_lower; i++)
		is = is_supported_at(&at, root->lower[i]);
	return is && (!root->upper || is_supported_at(&at, root->upper));
}

const struct host_idmap_row *host_idmap_table(void)
{
	return table;
}
