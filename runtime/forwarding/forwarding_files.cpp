#include "runtime/forwarding/forwarding_files.hpp"

#include <fcntl.h>
#include <sys/random.h>

#include <cerrno>
#include <charconv>
#include <cstdint>

namespace cellos {

namespace {

constexpr std::string_view id_name = "log-id";
constexpr std::string_view mark_name = "forwarded-to";
constexpr mode_t file_mode = 0640;
constexpr std::size_t longest_file = 4096;

std::optional<std::string> read_file(const std::filesystem::path& path, file_system& files, std::error_code& failure) {
  const file_descriptor file{
      uninterrupted([&] { return files.open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0); })};
  if (!file) {
    failure = last_system_error();
    return std::nullopt;
  }
  std::string text(longest_file, '\0');
  const auto got = uninterrupted([&] { return files.pread(file.get(), text.data(), text.size(), 0); });
  if (got < 0) {
    failure = last_system_error();
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(got));
  return text;
}

template <class Number>
bool take_number(std::string_view& text, Number& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (failure != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

std::string to_text(const node_log_id& id) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : id) {
    text += hexadecimal[byte >> 4];
    text += hexadecimal[byte & 0xf];
  }
  return text;
}

std::optional<node_log_id> parse_log_id(std::string_view text) {
  node_log_id id{};
  if (text.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const char* const digits = text.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, id[i], 16).ptr != digits + 2) return std::nullopt;
  }
  if (to_text(id) != text) return std::nullopt;
  return id;
}

log_id_outcome read_or_make_log_id(const std::filesystem::path& dir, file_system& files) {
  log_id_outcome out;
  if (const auto text = read_file(dir / id_name, files, out.failure)) {
    const auto id =
        text->ends_with('\n') ? parse_log_id(std::string_view{*text}.substr(0, text->size() - 1)) : std::nullopt;
    if (id)
      out.id = *id;
    else
      out.failure = std::make_error_code(std::errc::illegal_byte_sequence);
    return out;
  }
  if (out.failure != std::errc::no_such_file_or_directory) return out;
  if (::getentropy(out.id.data(), out.id.size()) != 0) {
    out.failure = last_system_error();
    return out;
  }
  out.failure = replace_file(files, dir / id_name, to_text(out.id) + '\n', file_mode).failure;
  if (out.failure) return out;
  const file_descriptor entries{
      uninterrupted([&] { return files.open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); })};
  out.failure = entries ? sync_directory(files, entries.get()) : last_system_error();
  return out;
}

std::optional<forwarding_mark> read_mark(const std::filesystem::path& dir) {
  const auto file = read_hint(dir / mark_name);
  if (!file || !file->ends_with('\n')) return std::nullopt;
  forwarding_mark mark;
  std::string_view text = *file;
  text.remove_suffix(1);
  if (!take_number(text, mark.delivered.segment) || !take_number(text, mark.delivered.offset)) return std::nullopt;
  if (text.empty() || text.find('\n') != std::string_view::npos) return std::nullopt;
  mark.collector = text;
  return mark;
}

std::error_code write_mark(const std::filesystem::path& dir, const forwarding_mark& mark, file_system& files) {
  return write_hint(dir / mark_name,
                    std::to_string(mark.delivered.segment) + ' ' + std::to_string(mark.delivered.offset) + ' ' +
                        mark.collector + '\n',
                    files);
}

std::optional<std::string> read_hint(const std::filesystem::path& path) {
  std::error_code ignored;
  return read_file(path, real_file_system(), ignored);
}

std::error_code write_hint(const std::filesystem::path& path, std::string_view text, file_system& files) {
  const auto beside = path.native() + ".new";
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  const file_descriptor file{uninterrupted([&] { return files.open(beside.c_str(), flags, file_mode); })};
  if (!file) return last_system_error();
  if (const auto failure = write_all(files, file.get(), text)) return failure;
  if (uninterrupted([&] { return files.rename(beside.c_str(), path.c_str()); }) != 0) return last_system_error();
  return {};
}

}  // namespace cellos
