#pragma once

namespace cellos {

/// Has the kernel refuse descriptors that a peer of this Unix socket, or of what is accepted on it, sends beside its
/// bytes: peers of ours send bytes, never descriptors. One in the kernel's hands is closed by whoever reads past it or
/// closes the socket, and closing another's socket may wait as long as that one's SO_LINGER says. Linux 6.16; before,
/// nothing.
void take_no_descriptors(int socket);

}  // namespace cellos
