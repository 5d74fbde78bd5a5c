#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "messages/node_codec.hpp"
#include "messages/node_message.hpp"

namespace cellos {

/// Encodes lines for a collector, compressed where that makes them shorter (zstd, level -1: a tenth of the bytes at
/// 0.6-1.2 GB/s; a higher level gains next to nothing on such lines).
class line_packer {
 public:
  line_packer();
  line_packer(const line_packer&) = delete;
  line_packer& operator=(const line_packer&) = delete;
  ~line_packer();

  /// `lines` as it describes `text`, which it does not hold.
  node_bytes pack(node_lines lines, std::string_view text);

 private:
  struct context;
  std::unique_ptr<context> context_;
  std::string compressed_;
};

}  // namespace cellos
