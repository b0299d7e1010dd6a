#define _GNU_SOURCE
#include "CLinuxKernel.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

const int C_LINUX_CLONE_NEWNET = CLONE_NEWNET;
const int C_LINUX_CLONE_NEWUSER = CLONE_NEWUSER;
const int C_LINUX_CLONE_NEWNS = CLONE_NEWNS;

int c_linux_errno(void) {
    return errno;
}

int c_linux_open(const char *path, int flags, unsigned int mode) {
    return open(path, flags, mode);
}

int c_linux_open_in_root(int root, const char *path) {
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
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

int c_linux_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int c_linux_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int c_linux_memory_file(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}

int c_linux_rename(const char *from, const char *to) {
    return rename(from, to);
}

long long c_linux_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1) {
        return -1;
    }
    return peer.uid;
}
