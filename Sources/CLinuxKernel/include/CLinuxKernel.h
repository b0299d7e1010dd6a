// What Swift cannot import from the C library and the kernel by itself. No decision is made in C.
#ifndef C_LINUX_KERNEL_H
#define C_LINUX_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// <linux/netfilter.h> is missing on purpose: it includes <linux/in.h>, whose structures clash
// with the C library's in one Swift program.
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

// `errno` is a macro, and `open`, `ioctl` are variadic: Swift imports none of them.
int c_linux_errno(void);
int c_linux_open(const char *path, int flags, unsigned int mode);
int c_linux_namespace_kind(int descriptor);
int c_linux_owning_user_namespace(int descriptor);

// These, and the constants, hide behind _GNU_SOURCE.
int c_linux_setns(int descriptor, int namespace_type);
int c_linux_unshare(int flags);
extern const int C_LINUX_CLONE_NEWNET;
extern const int C_LINUX_CLONE_NEWUSER;

// Whether a descriptor is of the file system that holds namespaces, as `fstatfs(2)` tells: 1, 0 or -1.
int c_linux_is_namespace_file(int descriptor);

#endif
