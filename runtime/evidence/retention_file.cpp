#include "runtime/evidence/retention_file.hpp"

#include <charconv>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "messages/json_text.hpp"
#include "runtime/evidence/read_statement.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

namespace {

/// So that a tag made of one file never fits a record of the other.
constexpr std::string_view title = "cellos retention 1 ";
constexpr std::size_t tag_length = base64_length(std::tuple_size_v<journal_tag>);
constexpr mode_t file_mode = 0640;

std::optional<std::uint64_t> count_in(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return std::nullopt;
  const auto& digits = member->get_ref<const std::string&>();
  std::uint64_t count = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return count;
}

}  // namespace

std::string to_text(const retention_state& state, const journal_mac& mac) {
  std::string body{title};
  {
    json::object_writer object{body};
    object.member("chains", [&](std::string& out) {
      json::object_writer chains{out};
      for (const auto& [chain, at] : state.chains) {
        chains.member(chain, [&at = at](std::string& to) {
          json::object_writer position{to};
          position.text("digest", at.digest);
          position.count("sequence", at.sequence);
          if (at.signing) position.member("signing", [&at](std::string& of) { append_statement(of, *at.signing); });
        });
      }
    });
    object.count("firstSegment", state.first_segment);
  }
  std::string text;
  append_base64(text, mac.tag({}, body));
  return text + ' ' + body + '\n';
}

std::optional<retention_state> parse_retention_state(std::string_view content, const journal_mac& mac) {
  if (content.size() <= tag_length + 1 || content[tag_length] != ' ' || content.back() != '\n') return std::nullopt;
  journal_tag claimed{};
  if (decode_base64(content.substr(0, tag_length), claimed) != claimed.size()) return std::nullopt;
  std::string_view body = content.substr(tag_length + 1, content.size() - tag_length - 2);
  if (mac.tag({}, body) != claimed || !body.starts_with(title)) return std::nullopt;
  body.remove_prefix(title.size());
  const auto read = nlohmann::json::parse(body, nullptr, false);
  const auto chains = read.is_object() ? read.find("chains") : read.end();
  if (!read.is_object() || chains == read.end() || !chains->is_object()) return std::nullopt;
  const auto first = count_in(read, "firstSegment");
  if (!first) return std::nullopt;
  retention_state state{*first, {}};
  for (const auto& [chain, at] : chains->items()) {
    const auto sequence = at.is_object() ? count_in(at, "sequence") : std::nullopt;
    const auto text = at.is_object() ? at.find("digest") : at.end();
    if (!sequence || text == at.end() || !text->is_string()) return std::nullopt;
    state.chains.emplace(chain, removed_positions::position{*sequence, text->get<std::string>(), read_statement(at)});
  }
  return state;
}

std::optional<retention_state> retention_file::read(const std::vector<journal_mac_ptr>& macs) const {
  std::ifstream file{directory_.path() / file_name, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  for (const journal_mac_ptr& mac : macs) {
    if (!mac) continue;
    if (auto state = parse_retention_state(text, *mac)) return state;
  }
  return std::nullopt;
}

std::error_code retention_file::write(const retention_state& state, const journal_mac& mac) const {
  const auto made = replace_file(directory_.files(), directory_.path() / file_name, to_text(state, mac), file_mode);
  if (made.failure) return made.failure;
  return directory_.sync();
}

}  // namespace cellos
