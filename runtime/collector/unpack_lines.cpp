#include "runtime/collector/unpack_lines.hpp"

#include <zstd.h>

#include "runtime/segments/line_scan.hpp"

namespace cellos {

struct line_unpacker::context {
  // NOLINTNEXTLINE(readability-identifier-naming): zstd's name.
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  context() = default;
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() { ZSTD_freeDCtx(zstd); }
};

line_unpacker::line_unpacker() : context_(std::make_unique<context>()) {}
line_unpacker::~line_unpacker() = default;

std::optional<std::string_view> line_unpacker::unpack(const node_lines& lines) {
  std::string_view text = lines.bytes;
  if (lines.codec == line_codec::zstd) {
    const auto* const from = lines.bytes.data();
    const auto bytes = lines.bytes.size();
    if (ZSTD_getFrameContentSize(from, bytes) != lines.raw_bytes) return std::nullopt;
    if (ZSTD_findFrameCompressedSize(from, bytes) != bytes) return std::nullopt;
    raw_.resize(lines.raw_bytes);
    if (ZSTD_decompressDCtx(context_->zstd, raw_.data(), raw_.size(), from, bytes) != raw_.size()) return std::nullopt;
    text = raw_;
  }
  if (text.size() != lines.raw_bytes || text.empty() || text.back() != '\n') return std::nullopt;
  if (count_lines(text) != lines.line_count) return std::nullopt;
  return text;
}

}  // namespace cellos
