#include "runtime/evidence/recovery_line.hpp"

#include <array>
#include <charconv>
#include "messages/chain_name.hpp"
#include "messages/event_line.hpp"
#include "runtime/signing/material.hpp"
#include "runtime/text/base64.hpp"

namespace cellos {

std::optional<recovery_line> recovery_line_reader::read(std::string_view line) {
  if (!read_canonical_line(line, event_) && generic_.read(line, event_)) return std::nullopt;
  const auto sequence = parse_sequence(event_.sequence);
  const auto type_name = event_name_in(event_.core.type);
  if (!sequence || !type_name) return std::nullopt;
  if (!is_event_id(event_.core.id, event_.chain, event_.sequence) || !parse_chain_name(event_.chain)) {
    return std::nullopt;
  }
  recovery_line read;
  read.chain = event_.chain;
  read.sequence = *sequence;
  read.type_name = *type_name;
  read.type = find_event_type(*type_name);
  read.data = event_.core.data;
  read.dssematerial = event_.dssematerial;
  read.sealed = !event_.prevdigest.empty();
  if (read.sealed && decode_base64(event_.prevdigest, read.before) != read.before.size()) return std::nullopt;
  return read;
}

event_digest recovery_line_reader::digest() const {
  if (event_.prevdigest.empty()) return no_event;
  return material_of(event_);
}

}  // namespace cellos
