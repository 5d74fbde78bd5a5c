#include "runtime/jetstream/stream_message.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "runtime/forwarding/forwarding_files.hpp"
#include "runtime/signing/sha256.hpp"

namespace cellos {

namespace {

constexpr std::string_view between_lines = ",\n";

bool take_number(std::string_view text, std::uint64_t& into) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), into);
  return failure == std::errc{} && end == text.data() + text.size();
}

template <class Number>
Number number_in(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<Number>() : Number{0};
}

}  // namespace

std::string to_text(const log_place& place) {
  return to_text(place.log) + '/' + std::to_string(place.end.segment) + '/' + std::to_string(place.end.offset);
}

std::optional<log_place> parse_log_place(std::string_view text) {
  log_place place;
  const auto first = text.find('/');
  const auto second = first == std::string_view::npos ? first : text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto id = parse_log_id(text.substr(0, first));
  if (!id) return std::nullopt;
  place.log = *id;
  if (!take_number(text.substr(first + 1, second - first - 1), place.end.segment)) return std::nullopt;
  if (!take_number(text.substr(second + 1), place.end.offset)) return std::nullopt;
  return place;
}

std::string as_json_array(std::string_view lines) {
  std::string array = "[\n";
  array.reserve(lines.size() + lines.size() / 64 + 8);
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (array.size() > 2) array += between_lines;
    array += lines.substr(0, end);
    lines.remove_prefix(end + 1);
  }
  return array += "\n]";
}

line_hash last_line_of(std::string_view content, bool is_batch) {
  std::string_view line = content;
  if (is_batch) {
    constexpr std::string_view closing = "\n]";
    if (line.ends_with(closing)) line.remove_suffix(closing.size());
    const auto before = line.rfind('\n');
    if (before != std::string_view::npos) line.remove_prefix(before + 1);
  }
  return sha256{}.update(line).update("\n").finish();
}

stream_answer parse_stream_answer(std::string_view json) {
  stream_answer answer;
  const auto read = nlohmann::json::parse(json, nullptr, false);
  if (!read.is_object()) {
    answer.text = "an answer that is not JetStream's";
    return answer;
  }
  if (const auto error = read.find("error"); error != read.end() && error->is_object()) {
    answer.code = number_in<std::uint32_t>(*error, "err_code");
    const auto text = error->find("description");
    answer.text = text != error->end() && text->is_string() ? text->get<std::string>() : "refused";
    return answer;
  }
  answer.sequence = number_in<std::uint64_t>(read, "seq");
  answer.is_stored = answer.sequence > 0;
  const auto duplicate = read.find("duplicate");
  answer.is_duplicate = duplicate != read.end() && duplicate->is_boolean() && duplicate->get<bool>();
  if (!answer.is_stored) answer.text = "an answer without a sequence";
  return answer;
}

}  // namespace cellos
