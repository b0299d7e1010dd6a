// What Swift cannot import from the C library and the kernel by itself. No decision is made in C.
#ifndef C_LINUX_KERNEL_H
#define C_LINUX_KERNEL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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

// openat2(2) with RESOLVE_IN_ROOT and O_PATH, for which the C library has no function.
int c_linux_open_in_root(int root, const char *path);

int c_linux_namespace_kind(int descriptor);
int c_linux_owning_user_namespace(int descriptor);

// These, and the constants, hide behind _GNU_SOURCE.
int c_linux_setns(int descriptor, int namespace_type);
int c_linux_unshare(int flags);
extern const int C_LINUX_CLONE_NEWNET;
extern const int C_LINUX_CLONE_NEWUSER;
extern const int C_LINUX_CLONE_NEWNS;

// Whether a descriptor is of the file system that holds namespaces, as `fstatfs(2)` tells: 1, 0 or -1.
int c_linux_is_namespace_file(int descriptor);

int c_linux_pipe(int ends[2]);
int c_linux_accept(int listener);
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

// A process that runs beside this one. -1 stands for no namespace to enter, 0 for none to make.
struct c_linux_background_request {
    // The program's file, for a user who may not reach its path; -1 for the path alone.
    int program;
    char *const *arguments;
    char *const *environment;
    int standard_input;
    int standard_output;
    int standard_error;
    int network_namespace;
    int report;

    // CLONE_NEW* flags; with CLONE_NEWNS an empty file system of its own is at /run.
    int new_namespaces;

    // One byte is written here when the namespaces are made, and one is read when their ids are mapped.
    int made;
    int mapped;

    int changes_user;
    unsigned int user;
    unsigned int group;
    int keeps_capabilities;
    int ends_with_parent;
};

// The step at which it failed, as for a child process.
enum c_linux_background_step {
    C_LINUX_BACKGROUND_PREPARE = 1,
    C_LINUX_BACKGROUND_NAMESPACES = 2,
    C_LINUX_BACKGROUND_MOUNTS = 3,
    C_LINUX_BACKGROUND_USER = 4,
    C_LINUX_BACKGROUND_EXECUTE = 5,
};

int c_linux_start_background(const struct c_linux_background_request *request);

// setfsuid(2), setfsgid(2): per thread, and all that rules about a socket's owner look at
// (`f_cred->fsuid` in net/netfilter/xt_owner.c and nft_meta.c). -1 where an id is not mapped.
int c_linux_set_socket_owner(unsigned int user, unsigned int group);

// Where a connection was going before a rule sent it here, as a struct sockaddr.
int c_linux_original_destination(int descriptor, int family, void *address, unsigned int *length);
int c_linux_set_transparent(int descriptor, int family);
int c_linux_set_ipv6_only(int descriptor);

// From now on a trap writes `message` to standard output and ends the process with `status`.
int c_linux_answer_crashes(const unsigned char *message, size_t length, int status);

// From now on a write to a pipe that nobody reads fails instead of ending the process.
int c_linux_ignore_broken_pipes(void);

// Lets the kernel take back the pages of this program's file that cannot be written: code and constants. They are read
// from the file again when they are needed. Returns 0, or -1 with errno.
int c_linux_release_code(void);

#endif
