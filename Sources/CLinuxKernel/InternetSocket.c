#include "CLinuxKernel.h"

#include <netinet/in.h>
#include <sys/fsuid.h>

// <linux/netfilter_ipv4.h> and <linux/netfilter_ipv6/ip6_tables.h>, which clash with <netinet/in.h>.
enum { ORIGINAL_DESTINATION = 80 };

int c_linux_set_socket_owner(unsigned int user, unsigned int group) {
    setfsgid(group);
    setfsuid(user);
    // Neither call tells whether it worked; an impossible id changes nothing and returns the current one.
    if ((unsigned int)setfsuid((uid_t)-1) != user || (unsigned int)setfsgid((gid_t)-1) != group) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

int c_linux_original_destination(int descriptor, int family, void *address, unsigned int *length) {
    return getsockopt(descriptor, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, ORIGINAL_DESTINATION, address, length);
}

int c_linux_set_transparent(int descriptor, int family) {
    int on = 1;
    return family == AF_INET
        ? setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on)
        : setsockopt(descriptor, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on);
}

int c_linux_set_ipv6_only(int descriptor) {
    int on = 1;
    return setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
}
