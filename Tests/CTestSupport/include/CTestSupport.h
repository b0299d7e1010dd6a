// What tests need of the C library and the kernel that Swift cannot import. No decision is made in C.
#ifndef C_TEST_SUPPORT_H
#define C_TEST_SUPPORT_H

#include <sys/socket.h>

// setfsuid(2), setfsgid(2): per thread, and all that rules about a socket's owner look at
// (`f_cred->fsuid` in net/netfilter/xt_owner.c and nft_meta.c), while the thread keeps its capabilities.
void c_test_set_socket_owner(unsigned int user, unsigned int group);

// Where a connection was going before a rule sent it here, as a struct sockaddr: 0 or -1.
int c_test_original_destination(int descriptor, int family, void *address, socklen_t *length);

// IP_TRANSPARENT or IPV6_TRANSPARENT: 0 or -1.
int c_test_set_transparent(int descriptor, int family);

#endif
