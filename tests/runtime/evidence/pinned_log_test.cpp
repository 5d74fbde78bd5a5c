#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "messages/event_line.hpp"
#include "messages/event_types.hpp"
#include "tests/support/files.hpp"
#include "tests/support/scripted_log.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/verified_lines.hpp"

#define CAF_SUITE pinned_log
#include "caf/test/dsl.hpp"

// The files in data/ were written by an earlier build. A log that is in somebody's archive must verify for ever, and
// what is appended to it must be what that build would have appended. With CELLOS_PIN_INTO=DIR the test writes what it
// makes into DIR: for data/, where the form of lines is meant to change, which breaks whoever reads logs.

using namespace cellos;
using namespace cellos::test;
using namespace cellos::verification;
using test::content_of;
using test::write_file;

namespace {

struct pinned {
  const char* name;
  std::string (*make)(scripted_signing);
  scripted_signing signing;
};

constexpr pinned all_pinned[] = {
    {"log_off", scripted_log, scripted_signing::off},
    {"log_checkpoint", scripted_log, scripted_signing::checkpoint},
    {"log_event", scripted_log, scripted_signing::event},
    {"findings_off", scripted_findings, scripted_signing::off},
    {"findings_checkpoint", scripted_findings, scripted_signing::checkpoint},
    {"findings_event", scripted_findings, scripted_signing::event},
};

std::string pinned_text(std::string_view name, const std::string& kind = ".jsonl") {
  const std::string file = CELLOS_SOURCE_DIR "/tests/runtime/evidence/data/" + std::string{name} + kind;
  CAF_MESSAGE(file);
  const std::string text = content_of(file);
  CAF_CHECK(!text.empty());
  return text;
}

void pin_if_asked(const std::string& file_name, const std::string& text) {
  if (const char* into = std::getenv("CELLOS_PIN_INTO")) write_file(std::filesystem::path{into} / file_name, text);
}

std::string line_at(const std::string& text, std::size_t offset) {
  const std::size_t begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  return text.substr(begin, text.find('\n', offset) - begin);
}

verification_report report_of(std::string_view name) {
  const key_list keys = scripted_keys();
  const bool is_signed = !name.ends_with("off");
  verification_options options;
  options.finished = name.starts_with("log") && is_signed;
  return test::verify_text(pinned_text(name), is_signed ? &keys : nullptr, options);
}

std::string causes_of(const verification_report& report) {
  std::string causes;
  for (const finding& each : report.findings) {
    causes += std::string{to_string(each.cause)} + " " + each.chain + " " + std::to_string(each.sequence) + "\n";
  }
  return causes;
}

}  // namespace

CAF_TEST(the_same_script_writes_the_same_lines_byte_for_byte) {
  for (const pinned& each : all_pinned) {
    const std::string made = each.make(each.signing);
    pin_if_asked(std::string{each.name} + ".jsonl", made);
    const std::string former = pinned_text(each.name);
    CAF_CHECK(made == former);
    if (made == former || made.empty() || former.empty()) continue;
    const auto differs = std::mismatch(made.begin(), made.end(), former.begin(), former.end());
    const auto offset = static_cast<std::size_t>(differs.first - made.begin());
    CAF_MESSAGE("byte " << offset << "\nwas: " << line_at(former, std::min(offset, former.size() - 1))
                        << "\nis:  " << line_at(made, std::min(offset, made.size() - 1)));
  }
}

CAF_TEST(a_log_of_an_earlier_build_verifies) {
  for (const char* name : {"log_off", "log_checkpoint", "log_event"}) {
    CAF_MESSAGE(name);
    const verification_report report = report_of(name);
    CAF_CHECK_EQUAL(causes_of(report), "");
    CAF_REQUIRE_EQUAL(report.chains.size(), 3u);
    for (const chain_report& chain : report.chains) {
      CAF_MESSAGE(chain.chain);
      CAF_CHECK(chain.state == chain_state::ended);
      CAF_CHECK_EQUAL(chain.signed_until, chain.sealed ? chain.last : 0);
      CAF_CHECK_EQUAL(chain.events, chain.last);
    }
  }
}

CAF_TEST(what_an_earlier_build_found_is_found_in_its_log) {
  for (const char* name : {"findings_off", "findings_checkpoint", "findings_event"}) {
    const std::string causes = causes_of(report_of(name));
    pin_if_asked(std::string{name} + ".causes", causes);
    CAF_CHECK_EQUAL(causes, pinned_text(name, ".causes"));
  }
}

CAF_TEST(every_type_that_an_earlier_build_wrote_is_known) {
  std::set<std::string> types;
  for (const pinned& each : all_pinned) {
    const std::string text = pinned_text(each.name);
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1) {
      const auto line = parse_event_line(std::string_view{text}.substr(begin, text.find('\n', begin) - begin));
      const auto name = line ? event_name_in(line->type) : std::nullopt;
      CAF_REQUIRE(name.has_value());
      CAF_CHECK(find_event_type(*name).has_value());
      types.emplace(*name);
    }
  }
  // All that there were.
  CAF_CHECK_EQUAL(types.size(), 28u);
}
