#include "runtime/verification/file_text.hpp"

#include <fcntl.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/os/file_system.hpp"
#include "runtime/segments/line_scan.hpp"

namespace cellos::verification {

namespace {

constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20;

}  // namespace

file_text::file_text(std::filesystem::path path)
    : path_(std::move(path)), file_(uninterrupted([this] {
        return real_file_system().open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
      })) {}

std::uint64_t file_text::size() const {
  const auto bytes = file_ ? real_file_system().file_size(file_.get()) : 0;
  return bytes < 0 ? 0 : static_cast<std::uint64_t>(bytes);
}

std::optional<std::string> file_text::read(std::uint64_t offset, std::uint64_t bytes) const {
  if (!file_) return std::nullopt;
  std::string text(bytes, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = uninterrupted([&] {
      return real_file_system().pread(file_.get(), text.data() + have, text.size() - have,
                                      static_cast<off_t>(offset + have));
    });
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

std::uint64_t file_text::whole_lines() const {
  std::error_code unread;
  return file_ ? end_of_last_line(real_file_system(), file_.get(), size(), unread) : 0;
}

std::optional<std::uint64_t> file_text::lines_before(std::uint64_t end) const {
  std::uint64_t lines = 0;
  for (std::uint64_t at = 0; at < end;) {
    const auto text = read(at, std::min(block_bytes, end - at));
    if (!text || text->empty()) return std::nullopt;
    lines += count_lines(*text);
    at += text->size();
  }
  return lines;
}

std::optional<std::string> file_text::line_ending_at(std::uint64_t end) const {
  if (!file_) return std::nullopt;
  std::error_code unread;
  return cellos::line_ending_at(real_file_system(), file_.get(), end, unread);
}

std::string file_text::failure() const { return "\"" + escaped(path_.string(), 512) + "\" cannot be read"; }

}  // namespace cellos::verification
