#include "runtime/jetstream/event_subject.hpp"

#include <algorithm>

#include "messages/event_line.hpp"

namespace cellos {

namespace {

constexpr std::size_t longest_stream_name = 128;
constexpr std::string_view about_a_cell = "urn:cellos:cell:";

bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::optional<std::string> subject_token(std::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr std::string_view hexadecimal = "0123456789ABCDEF";
  std::string token;
  for (const char c : text) {
    if (is_plain(c)) {
      token += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    token += '%';
    token += hexadecimal[byte >> 4];
    token += hexadecimal[byte & 0xf];
  }
  return token;
}

bool is_subject_prefix(std::string_view text) {
  for (;;) {
    const auto dot = text.find('.');
    const auto token = text.substr(0, dot);
    if (token.empty() || !std::ranges::all_of(token, is_plain)) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_stream_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_stream_name && std::ranges::all_of(text, is_plain);
}

event_subjects::event_subjects(std::string_view prefix, std::string_view host_id)
    : begin_(std::string{prefix} + '.' + subject_token(host_id).value_or("%00") + '.'),
      host_(begin_ + *subject_token("@host")),
      batches_(begin_ + *subject_token("@batch")),
      all_(begin_ + '>') {}

std::string_view event_subjects::of(std::string_view line) {
  std::string_view about = attribute_in(line, "subject");
  if (!about.starts_with(about_a_cell)) return host_;
  about.remove_prefix(about_a_cell.size());
  if (about != cell_) {
    const auto token = subject_token(about);
    if (!token) return host_;
    cell_ = about;
    of_cell_ = begin_ + *token;
  }
  return of_cell_;
}

}  // namespace cellos
