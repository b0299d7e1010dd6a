// What Swift cannot import from the C library and the kernel by itself. No decision is made in C.
#ifndef C_LINUX_KERNEL_H
#define C_LINUX_KERNEL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
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

int c_linux_pipe(int ends[2]);
int c_linux_memory_file(const char *name);

// `rename(2)` is in <stdio.h>, whose `stdout` and `stderr` Swift 6 cannot use.
int c_linux_rename(const char *from, const char *to);

// The user at the other end of a Unix socket (`SO_PEERCRED`), or -1.
long long c_linux_peer_user(int descriptor);

// What a child process is made of; the program's path is its first argument. -1 stands for no namespace.
struct c_linux_spawn_request {
    char *const *arguments;
    char *const *environment;
    int standard_input;
    int standard_output;
    int standard_error;
    int user_namespace;
    int network_namespace;
    int report;
};

// The step at which a child failed, as the first of two ints on `report`; the second is its errno.
enum c_linux_spawn_step {
    C_LINUX_SPAWN_PREPARE = 1,
    C_LINUX_SPAWN_USER_NAMESPACE = 2,
    C_LINUX_SPAWN_NETWORK_NAMESPACE = 3,
    C_LINUX_SPAWN_EXECUTE = 4,
};

int c_linux_spawn(const struct c_linux_spawn_request *request);

// 1 if the child has ended, 0 if not yet, -1 for an error.
int c_linux_wait(int child, int *exit_status, int *signal_number);

// From now on a trap writes `message` to standard output and ends the process with `status`.
int c_linux_answer_crashes(const unsigned char *message, size_t length, int status);

// From now on a write to a pipe that nobody reads fails instead of ending the process.
int c_linux_ignore_broken_pipes(void);

#endif
