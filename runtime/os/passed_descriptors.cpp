#include "runtime/os/passed_descriptors.hpp"

#include <sys/socket.h>

namespace cellos {

void take_no_descriptors(int socket) {
  constexpr int pass_rights = 83;  // SO_PASSRIGHTS, which Debian 12's headers do not have yet
  const int off = 0;
  (void)::setsockopt(socket, SOL_SOCKET, pass_rights, &off, sizeof off);
}

}  // namespace cellos
