#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

/// What sendmsg says of one byte with a descriptor beside it; 0 if it was taken.
inline int send_descriptor(int over, int passed) {
  char byte = 0;
  iovec bytes{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &passed, sizeof passed);
  return ::sendmsg(over, &message, MSG_NOSIGNAL) == 1 ? 0 : errno;
}

/// SO_PASSRIGHTS, Linux 6.16.
inline bool kernel_can_refuse_descriptors() {
  const file_descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int off = 0;
  constexpr int pass_rights = 83;
  return ::setsockopt(probe.get(), SOL_SOCKET, pass_rights, &off, sizeof off) == 0;
}

}  // namespace cellos::test
