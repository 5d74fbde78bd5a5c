#include "tests/support/evidence.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "messages/event_types.hpp"
#include "tests/support/process.hpp"

namespace cellos::test {

namespace {

namespace dom = simdjson::dom;

std::uint64_t number_of(std::string_view decimal) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), number);
  if (failed != std::errc{} || end != decimal.data() + decimal.size()) {
    throw std::runtime_error("not a number: " + std::string{decimal});
  }
  return number;
}

std::string_view text_of(const dom::element& value) { return value.get_string().value(); }

void take_data(event& into, const dom::object& data) {
  for (const auto& [key, value] : data) {
    if (key == "cellId") {
      into.cell_id = text_of(value);
    } else if (key == "runId") {
      into.run_id = text_of(value);
    } else if (key == "specSignatureHash") {
      into.spec_signature_hash = text_of(value);
    } else if (key == "hostReceivedAt") {
      into.host_received_at = text_of(value);
    } else if (key == "probeSource") {
      into.probe_source = text_of(value);
    } else if (key == "guestComm") {
      into.guest_comm = text_of(value);
    } else if (key == "reason") {
      into.reason = text_of(value);
    } else if (key == "guestMonotonicNs") {
      into.guest_monotonic_ns = number_of(text_of(value));
    }
  }
}

/// Keeps what its strings have allocated.
void forget(event& known) {
  for (std::string* text : {&known.id, &known.source, &known.type, &known.subject, &known.time, &known.chain,
                            &known.cell_id, &known.run_id, &known.spec_signature_hash, &known.host_received_at,
                            &known.probe_source, &known.guest_comm, &known.reason, &known.line}) {
    text->clear();
  }
  known.sequence = 0;
  known.guest_monotonic_ns = 0;
}

std::string_view without_prefix(std::string_view type) {
  if (const auto name = event_name_in(type)) return *name;
  throw std::runtime_error("not our type: " + std::string{type});
}

void take_line(event& into, const dom::object& line) {
  std::string_view sequence;
  std::string_view version;
  for (const auto& [key, value] : line) {
    if (key == "id") {
      into.id = text_of(value);
    } else if (key == "source") {
      into.source = text_of(value);
    } else if (key == "type") {
      into.type = without_prefix(text_of(value));
    } else if (key == "subject") {
      into.subject = text_of(value);
    } else if (key == "time") {
      into.time = text_of(value);
    } else if (key == "chain") {
      into.chain = text_of(value);
    } else if (key == "sequence") {
      sequence = text_of(value);
    } else if (key == "specversion") {
      version = text_of(value);
    } else if (key == "data") {
      take_data(into, value.get_object().value());
    }
  }
  if (version != "1.0") throw std::runtime_error("not CloudEvents 1.0");
  into.sequence = number_of(sequence);
  if (into.chain.empty() || into.id != into.chain + "/" + std::string{sequence}) {
    throw std::runtime_error("the id is not made of chain and sequence");
  }
}

void visit_file(const std::filesystem::path& file, dom::parser& parser, event& known,
                const std::function<void(const event&)>& visit) {
  simdjson::padded_string content;
  if (simdjson::padded_string::load(file.native()).get(content) != simdjson::SUCCESS) {
    if (!std::filesystem::exists(file)) return;  // retention was here first
    throw std::runtime_error("cannot be read: " + file.native());
  }
  std::string_view rest{content.data(), content.size()};
  for (std::size_t number = 1; !rest.empty(); ++number) {
    try {
      const std::size_t length = rest.find('\n');
      if (length == std::string_view::npos) throw std::runtime_error("no newline");
      forget(known);
      known.line = rest.substr(0, length);
      // What follows the line is this file or simdjson's padding.
      constexpr bool copy_first = false;
      take_line(known, parser.parse(rest.data(), length, copy_first).get_object().value());
      rest.remove_prefix(length + 1);
    } catch (const std::exception& problem) {
      throw std::runtime_error(file.native() + ":" + std::to_string(number) + ": " + problem.what());
    }
    visit(known);
  }
}

std::vector<std::filesystem::path> log_files(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{dir}) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void visit_lines(const std::filesystem::path& dir, const std::function<void(const event&)>& visit) {
  dom::parser parser;
  event known;
  for (const auto& file : log_files(dir)) visit_file(file, parser, known, visit);
}

}  // namespace

std::size_t count_in_log(const std::filesystem::path& dir, std::string_view part) {
  std::size_t count = 0;
  for (const auto& file : log_files(dir)) {
    simdjson::padded_string content;
    // Retention may have taken it since the directory was read.
    if (simdjson::padded_string::load(file.native()).get(content) != simdjson::SUCCESS) continue;
    count += count_lines({content.data(), content.size()}, part);
  }
  return count;
}

void visit_events(const std::filesystem::path& dir, const std::function<void(const event&)>& visit) {
  visit_lines(dir, [&](const event& each) {
    if (!each.is_of_host()) visit(each);
  });
}

void visit_host_events(const std::filesystem::path& dir, const std::function<void(const event&)>& visit) {
  visit_lines(dir, [&](const event& each) {
    if (each.is_of_host()) visit(each);
  });
}

std::vector<event> read_events(const std::filesystem::path& dir) {
  std::vector<event> all;
  visit_events(dir, [&](const event& each) { all.push_back(each); });
  return all;
}

std::vector<event> events_of(const std::vector<event>& all, std::string_view cell_id, std::string_view type) {
  std::vector<event> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&](const event& each) { return each.cell_id == cell_id && each.type == type; });
  return found;
}

}  // namespace cellos::test
