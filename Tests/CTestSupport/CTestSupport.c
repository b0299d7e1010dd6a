#include "CTestSupport.h"

#include <netinet/in.h>
#include <sys/fsuid.h>

// <linux/netfilter_ipv4.h> and <linux/netfilter_ipv6/ip6_tables.h>, which clash with <netinet/in.h>.
enum { ORIGINAL_DESTINATION = 80 };

void c_test_set_socket_owner(unsigned int user, unsigned int group) {
    setfsgid(group);
    setfsuid(user);
}

int c_test_original_destination(int descriptor, int family, void *address, socklen_t *length) {
    return getsockopt(descriptor, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, ORIGINAL_DESTINATION, address, length);
}

int c_test_set_transparent(int descriptor, int family) {
    int on = 1;
    return family == AF_INET
        ? setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on)
        : setsockopt(descriptor, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on);
}
