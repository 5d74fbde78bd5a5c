#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

#define CAF_SUITE example_configuration
#include "caf/test/dsl.hpp"
#include "runtime/configuration/keys.hpp"
#include "runtime/configuration/load.hpp"
#include "tests/runtime/configuration/configuration_text.hpp"

using namespace cellos;
using namespace cellos::test;

namespace {

const std::filesystem::path example_path = std::filesystem::path{CELLOS_SOURCE_DIR} / "config" / "telemetryd.toml";

/// A setting that is commented out begins with "#" and no space; prose begins with "# ".
bool is_disabled_setting(std::string_view line) { return line.size() > 1 && line[0] == '#' && line[1] != ' '; }

struct fixture {
  std::vector<std::string> lines;

  fixture() {
    std::ifstream file{example_path};
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    CAF_REQUIRE(!lines.empty());
  }

  /// The example with every setting that `chosen` accepts enabled.
  template <class Predicate>
  std::string enabling(Predicate chosen) const {
    std::string text;
    for (const auto& line : lines) {
      bool enabled = is_disabled_setting(line) && chosen(line.substr(1));
      text += (enabled ? line.substr(1) : line) + '\n';
    }
    return text;
  }

  /// Every key and refused table that the example names, as `known_keys` spells them.
  std::set<std::string> documented() const {
    std::set<std::string> names;
    std::string table;
    std::istringstream text{enabling([](std::string_view) { return true; })};
    for (std::string line; std::getline(text, line);) {
      if (line.empty() || line[0] == '#') continue;
      if (line[0] == '[') {
        table = line.substr(line.find_first_not_of('['));
        table = table.substr(0, table.find(']'));
        names.insert('[' + table + ']');
      } else {
        names.insert((table.empty() ? "" : table + '.') + line.substr(0, line.find(' ')));
      }
    }
    return names;
  }
};

/// A key comes from one place.
bool is_compatible(std::string_view setting) {
  return !setting.starts_with("credential") && !setting.starts_with("former_credential");
}

/// Settings of a table that has no default.
bool is_signing(std::string_view setting) {
  constexpr std::array<std::string_view, 8> names{"[signing]",  "alg",  "kid",        "key_file",
                                                  "credential", "mode", "checkpoint", "former_"};
  return std::ranges::any_of(names, [&](std::string_view name) { return setting.starts_with(name); });
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(example_configuration_tests, fixture)

CAF_TEST(the_example_is_valid) {
  auto messages = messages_of(load_configuration(example_path));
  for (const auto& message : messages) CAF_ERROR(message);
  CAF_CHECK(messages.empty());
}

CAF_TEST(the_example_names_every_key_the_loader_knows) {
  auto names = documented();
  for (const auto& known : settings::known_keys()) {
    if (!names.contains(known)) CAF_ERROR("config/telemetryd.toml lacks " << known);
  }
  CAF_CHECK_GREATER(settings::known_keys().size(), 20u);
}

CAF_TEST(what_is_commented_out_are_the_defaults) {
  auto is_default = [](std::string_view setting) {
    return !is_signing(setting) && !setting.starts_with("http_listen") && !setting.starts_with("owner") &&
           !setting.starts_with("group") && !setting.starts_with("state_file");
  };
  auto as_shipped = std::get<configuration>(load_configuration(example_path));
  CAF_CHECK(configuration_in(enabling(is_default)) == as_shipped);

  configuration defaults;
  CAF_CHECK(as_shipped.evidence.fsync == defaults.evidence.fsync);
  CAF_CHECK_EQUAL(as_shipped.evidence.max_bytes, defaults.evidence.max_bytes);
  CAF_CHECK_EQUAL(as_shipped.evidence.cell_share, defaults.evidence.cell_share);
  CAF_CHECK(as_shipped.evidence.cell_share_interval == defaults.evidence.cell_share_interval);
  CAF_CHECK_EQUAL(as_shipped.evidence.segment_bytes, defaults.evidence.segment_bytes);
  CAF_CHECK(as_shipped.log == defaults.log);
  CAF_CHECK(as_shipped.intake == defaults.intake);
  CAF_CHECK_EQUAL(as_shipped.workers, defaults.workers);
}

CAF_TEST(everything_can_be_enabled_at_once) {
  CAF_CHECK_EQUAL(error_in(enabling(is_compatible)), "no error");
  const auto signing = configuration_in(enabling(is_compatible)).signing;
  const signing_configuration defaults;
  CAF_CHECK(signing.mode == defaults.mode);
  CAF_CHECK_EQUAL(signing.checkpoint_events, defaults.checkpoint_events);
  CAF_CHECK(signing.checkpoint_interval == defaults.checkpoint_interval);
}

CAF_TEST_FIXTURE_SCOPE_END()
