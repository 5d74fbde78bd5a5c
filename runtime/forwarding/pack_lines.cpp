#include "runtime/forwarding/pack_lines.hpp"

#include <zstd.h>

namespace cellos {

namespace {

constexpr int level = -1;

}  // namespace

struct line_packer::context {
  // NOLINTNEXTLINE(readability-identifier-naming): zstd's name.
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  context() = default;
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() { ZSTD_freeCCtx(zstd); }
};

line_packer::line_packer() : context_(std::make_unique<context>()) {}
line_packer::~line_packer() = default;

node_bytes line_packer::pack(node_lines lines, std::string_view text) {
  compressed_.resize(ZSTD_compressBound(text.size()));
  const auto bytes =
      ZSTD_compressCCtx(context_->zstd, compressed_.data(), compressed_.size(), text.data(), text.size(), level);
  const bool helps = ZSTD_isError(bytes) == 0 && bytes < text.size();
  lines.codec = helps ? line_codec::zstd : line_codec::raw;
  lines.bytes = helps ? std::string_view{compressed_.data(), bytes} : text;
  return encode(lines);
}

}  // namespace cellos
