#define _GNU_SOURCE
#include "CLinuxKernel.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

const int C_LINUX_CLONE_NEWNET = CLONE_NEWNET;
const int C_LINUX_CLONE_NEWUSER = CLONE_NEWUSER;

int c_linux_errno(void) {
    return errno;
}

int c_linux_open(const char *path, int flags, unsigned int mode) {
    return open(path, flags, mode);
}

int c_linux_namespace_kind(int descriptor) {
    return ioctl(descriptor, NS_GET_NSTYPE);
}

int c_linux_owning_user_namespace(int descriptor) {
    return ioctl(descriptor, NS_GET_USERNS);
}

int c_linux_setns(int descriptor, int namespace_type) {
    return setns(descriptor, namespace_type);
}

int c_linux_unshare(int flags) {
    return unshare(flags);
}

int c_linux_is_namespace_file(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) == -1) {
        return -1;
    }
    return status.f_type == NSFS_MAGIC;
}
