#include "runtime/evidence/recovery_line.hpp"

#include <array>
#include <charconv>

#include "messages/chain_lines.hpp"
#include "runtime/signing/material.hpp"
#include "runtime/text/base64.hpp"
#include "runtime/verification/chain_identity.hpp"

namespace cellos {

namespace {

constexpr std::string_view before_id = R"({"specversion":"1.0","id":")";
constexpr std::string_view before_type = R"(","type":")";
constexpr std::string_view before_data = R"(","sequence":")";

/// Up to the next quote, where no escape may stand.
std::string_view until_quote(std::string_view line, std::size_t at) {
  const std::size_t end = line.find('"', at);
  return end == std::string_view::npos ? std::string_view{} : line.substr(at, end - at);
}

/// Our own form without digests, which the verifier's reader of our form leaves to the slow one.
bool read_plain_form(std::string_view line, verification::event_line& into) {
  if (!line.starts_with(before_id) || !line.ends_with('}')) return false;
  into = {};
  into.core.id = until_quote(line, before_id.size());
  const std::size_t type_at = line.find(before_type, before_id.size() + into.core.id.size());
  if (type_at == std::string_view::npos) return false;
  into.core.type = until_quote(line, type_at + before_type.size());
  const std::size_t sequence_at = line.find(before_data, type_at);
  if (sequence_at == std::string_view::npos) return false;
  into.sequence = until_quote(line, sequence_at + before_data.size());
  std::string_view rest = line.substr(sequence_at + before_data.size() + into.sequence.size());
  constexpr std::string_view data_key = R"(","data":)";
  if (!rest.starts_with(data_key)) return false;
  rest.remove_prefix(data_key.size());
  into.core.data = rest.substr(0, rest.size() - 1);
  if (into.core.id.size() <= into.sequence.size() || into.core.id.find('\\') != std::string_view::npos) return false;
  into.chain = into.core.id.substr(0, into.core.id.size() - into.sequence.size() - 1);
  into.canonical_line = true;
  return true;
}

bool has_id_of_its_place(const verification::event_line& event) {
  const std::string_view id = event.core.id;
  return id.size() == event.chain.size() + 1 + event.sequence.size() && id.starts_with(event.chain) &&
         id[event.chain.size()] == '/' && id.ends_with(event.sequence);
}

}  // namespace

std::optional<recovery_line> recovery_line_reader::read(std::string_view line) {
  if (!verification::read_canonical_line(line, event_) && !read_plain_form(line, event_) &&
      generic_.read(line, event_)) {
    return std::nullopt;
  }
  recovery_line read;
  read.chain = event_.chain;
  const std::string_view digits = event_.sequence;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), read.sequence);
  if (failure != std::errc{} || end != digits.data() + digits.size() || digits.size() != sequence_text::digits ||
      read.sequence == 0) {
    return std::nullopt;
  }
  if (!has_id_of_its_place(event_) || !verification::identify_chain(read.chain)) return std::nullopt;
  if (!event_.core.type.starts_with(event_type_prefix)) return std::nullopt;
  read.type = event_.core.type.substr(event_type_prefix.size());
  read.data = event_.core.data;
  read.dssematerial = event_.dssematerial;
  read.sealed = !event_.prevdigest.empty();
  if (read.sealed && decode_base64(event_.prevdigest, read.before) != read.before.size()) return std::nullopt;
  return read;
}

event_digest recovery_line_reader::digest() const {
  if (event_.prevdigest.empty()) return no_event;
  if (!event_.canonical_line) return material_of(event_.core, event_.signed_extensions);
  const std::array<extension_attribute, 3> extensions{
      {{"chain", event_.chain}, {"sequence", event_.sequence}, {"prevdigest", event_.prevdigest}}};
  return material_of(event_.core, extensions);
}

}  // namespace cellos
