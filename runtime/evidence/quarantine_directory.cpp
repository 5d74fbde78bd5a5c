#include "runtime/evidence/quarantine_directory.hpp"

#include <fcntl.h>
#include <iterator>
#include <string>
#include <system_error>

#include "messages/quarantine_name.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

namespace {

constexpr mode_t file_mode = 0640;

std::size_t files_in(const std::filesystem::path& dir) {
  std::error_code ignored;
  const std::filesystem::directory_iterator files{dir, ignored};
  return ignored ? 0 : static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

}  // namespace

std::optional<std::string> quarantine_directory::set_aside(std::string_view cell_id, const received_chunk& chunk) {
  const std::lock_guard lock{mutex_};
  std::error_code failed;
  std::filesystem::create_directories(dir_, failed);
  if (failed || files_in(dir_) >= max_files) return std::nullopt;
  std::string name = to_string(quarantine_name{std::string{cell_id}, chunk.received_at, chunk.sequence});
  const file_descriptor file{
      ::open((dir_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, file_mode)};
  if (!file) return std::nullopt;
  const std::string_view bytes{reinterpret_cast<const char*>(chunk.bytes.data()), chunk.bytes.size()};
  if (write_all(real_file_system(), file.get(), bytes)) return std::nullopt;
  return name;
}

}  // namespace cellos
