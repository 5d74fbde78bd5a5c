#include "runtime/collector/unpack_lines.hpp"

#include <zstd.h>

#include <memory>
#include <string>

#include "runtime/segments/line_scan.hpp"

namespace cellos {

namespace {

struct context_deleter {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::optional<std::string_view> decompress(const node_lines& lines) {
  thread_local const std::unique_ptr<ZSTD_DCtx, context_deleter> context{ZSTD_createDCtx()};
  thread_local std::string raw;
  const auto* const from = lines.bytes.data();
  const auto bytes = lines.bytes.size();
  if (ZSTD_getFrameContentSize(from, bytes) != lines.raw_bytes) return std::nullopt;
  if (ZSTD_findFrameCompressedSize(from, bytes) != bytes) return std::nullopt;
  raw.resize(lines.raw_bytes);
  if (!context || ZSTD_decompressDCtx(context.get(), raw.data(), raw.size(), from, bytes) != raw.size()) {
    return std::nullopt;
  }
  return raw;
}

}  // namespace

std::optional<std::string_view> unpack_lines(const node_lines& lines) {
  const auto text = lines.codec == line_codec::zstd ? decompress(lines) : lines.bytes;
  if (!text || text->size() != lines.raw_bytes || text->empty() || text->back() != '\n') return std::nullopt;
  if (count_lines(*text) != lines.line_count) return std::nullopt;
  return text;
}

}  // namespace cellos
