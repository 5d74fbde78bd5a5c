#pragma once

#include "messages/batch.hpp"

namespace cellos {

/// Decodes every frame of a chunk and stamps the result with `attribution`.
///
/// Total and pure: a bad frame is counted by kind and the next one goes on. The batch keeps the chunk alive.
batch decode_chunk(chunk_ptr chunk, host_stamp_ptr attribution);

}  // namespace cellos
