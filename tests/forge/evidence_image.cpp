#include "tests/forge/evidence_image.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "messages/event_line.hpp"
#include "messages/event_types.hpp"
#include "tests/support/files.hpp"

namespace cellos::forge {

namespace {

constexpr std::string_view segment_prefix = "evidence-";
constexpr std::string_view segment_suffix = ".jsonl";
constexpr std::size_t segment_digits = 20;

std::string text_in(const nlohmann::json& event, const char* name) {
  const auto member = event.find(name);
  return member != event.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

log_line parse(std::string text, const std::string& segment) {
  log_line line{std::move(text), segment};
  const auto event = nlohmann::json::parse(line.text, nullptr, false);
  if (!event.is_object()) return line;
  const std::string sequence = text_in(event, "sequence");
  if (sequence.empty() || sequence.find_first_not_of("0123456789") != std::string::npos) return line;
  line.chain = text_in(event, "chain");
  line.sequence = std::stoull(sequence);
  line.type = text_in(event, "type");
  if (const auto name = event_name_in(line.type)) line.type = std::string{*name};
  return line;
}

void put_odd_entry(const std::filesystem::path& dir, const std::string& name, odd_entry kind) {
  const std::filesystem::path path = dir / name;
  // A later rewrite may have put a file there, or taken it away.
  if (kind == odd_entry::link_to_copy && !std::filesystem::exists(path)) return;
  if (kind != odd_entry::link_to_copy) std::filesystem::remove(path);
  switch (kind) {
    case odd_entry::directory: std::filesystem::create_directory(path); return;
    case odd_entry::fifo:
      if (::mkfifo(path.c_str(), 0640) != 0) throw std::runtime_error("cannot make " + path.string());
      return;
    case odd_entry::link_to_copy: {
      const std::filesystem::path copy = dir / (name + ".copy");
      std::filesystem::rename(path, copy);
      std::filesystem::create_symlink(copy, path);
      return;
    }
  }
}

}  // namespace

bool is_segment_name(std::string_view name) {
  if (name.size() != segment_prefix.size() + segment_digits + segment_suffix.size()) return false;
  const std::string_view digits = name.substr(segment_prefix.size(), segment_digits);
  return name.starts_with(segment_prefix) && name.ends_with(segment_suffix) &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string segment_name(std::uint64_t number) {
  return std::string{segment_prefix} + std::string{sequence_text{number}.view()} + std::string{segment_suffix};
}

std::uint64_t segment_number(std::string_view name) {
  return std::stoull(std::string{name.substr(segment_prefix.size(), segment_digits)});
}

std::string canonical(const std::string& line) {
  const auto event = nlohmann::json::parse(line, nullptr, false);
  if (event.is_discarded()) return line;
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

evidence_image evidence_image::read(const std::filesystem::path& dir) {
  evidence_image image;
  if (!std::filesystem::exists(dir)) return image;
  for (const auto& entry : std::filesystem::directory_iterator{dir}) {
    if (!entry.is_regular_file()) continue;
    std::string name = entry.path().filename().string();
    if (name == ".lock" || name.ends_with(".tmp")) continue;
    image.files.emplace(std::move(name), test::content_of(entry.path()));
  }
  return image;
}

void evidence_image::write(const std::filesystem::path& dir) const {
  std::filesystem::remove_all(dir);
  std::filesystem::create_directory(dir);
  for (const auto& [name, content] : files) test::write_file(dir / name, content);
  for (const auto& [name, kind] : odd_entries) put_odd_entry(dir, name, kind);
}

std::vector<std::string> evidence_image::segments() const {
  std::vector<std::string> names;
  for (const auto& [name, content] : files) {
    if (is_segment_name(name)) names.push_back(name);
  }
  return names;
}

std::vector<log_line> evidence_image::lines() const {
  std::vector<log_line> all;
  for (const std::string& name : segments()) {
    const std::string& content = files.at(name);
    for (std::size_t begin = 0; begin < content.size();) {
      const std::size_t end = std::min(content.find('\n', begin), content.size());
      all.push_back(parse(content.substr(begin, end - begin), name));
      begin = end + 1;
    }
  }
  return all;
}

void evidence_image::set_lines(const std::vector<log_line>& lines) {
  for (const std::string& name : segments()) files[name].clear();
  for (const log_line& line : lines) files[line.segment] += line.text + '\n';
}

std::string evidence_image::journal_or_nothing() const {
  const auto found = files.find(std::string{journal_name});
  return found == files.end() ? std::string{} : found->second;
}

}  // namespace cellos::forge
