#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#define CAF_SUITE example_configuration
#include "caf/test/dsl.hpp"
#include "runtime/configuration/keys.hpp"
#include "runtime/configuration/load.hpp"
#include "runtime/daemon/settings.hpp"
#include "runtime/signing/host_sealing.hpp"
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
    std::string table;
    for (const auto& line : lines) {
      const bool disabled = is_disabled_setting(line);
      const std::string setting = disabled ? line.substr(1) : line;
      if (setting.starts_with('[')) {
        table = setting.substr(setting.find_first_not_of('['));
        table = table.substr(0, table.find(']'));
      }
      text += (disabled && chosen(table, setting) ? setting : line) + '\n';
    }
    return text;
  }

  /// The prose that describes a setting, which may stand above others too.
  std::string comment_above(const std::string& name) const {
    std::string comment;
    bool ended = true;
    for (const auto& line : lines) {
      if (line.starts_with("# ")) {
        if (std::exchange(ended, false)) comment.clear();
        comment += line.substr(1);
      } else {
        if (line.starts_with(name + " = ") || line.starts_with("#" + name + " = ")) return comment;
        ended = true;
      }
    }
    return {};
  }

  /// Every key and refused table that the example names, as `known_keys` spells them.
  std::set<std::string> documented() const {
    std::set<std::string> names;
    std::string table;
    std::istringstream text{enabling([](std::string_view, std::string_view) { return true; })};
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
bool is_compatible(std::string_view, std::string_view setting) {
  return !setting.starts_with("credential") && !setting.starts_with("former_credential");
}

/// Of a setting that is commented out: its value is what counts without it.
bool is_default(std::string_view table, std::string_view setting) {
  const bool is_of_probes =
      table == "cell" && !setting.starts_with("keepalive_window") && !setting.starts_with("on_agent_failure");
  const bool is_learnt =
      table == "probes" && (setting.find("_threshold") != setting.npos || setting.find("_background") != setting.npos);
  const bool is_absent =
      table == "signing" || is_learnt || table.starts_with("forward") || table == "collector" || is_of_probes;
  return !is_absent && !setting.starts_with("http_listen") && !setting.starts_with("owner") &&
         !setting.starts_with("group") && !setting.starts_with("state_file") &&
         !setting.starts_with("certificate_file") && !setting.starts_with("key_file") &&
         !setting.starts_with("ca_file");
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
  auto as_shipped = std::get<configuration>(load_configuration(example_path));
  CAF_CHECK(configuration_in(enabling(is_default)) == as_shipped);

  configuration defaults;
  defaults.host_id = as_shipped.host_id;
  defaults.evidence.dir = as_shipped.evidence.dir;
  defaults.control.socket = as_shipped.control.socket;
  auto& cell = defaults.cells.emplace_back();
  cell.cell_id = "cell-1";
  cell.run_id = "run-7";
  cell.vsock_uds_base = as_shipped.cells.at(0).vsock_uds_base;
  cell.spec_signature_hash = as_shipped.cells.at(0).spec_signature_hash;
  cell.expected_uid = 10002;
  CAF_CHECK(as_shipped == defaults);
}

CAF_TEST(what_is_documented_as_a_default_is_what_the_services_use) {
  const auto documented = configuration_in(enabling(is_default));
  CAF_CHECK(socket_options_of(documented.intake, documented.signing) == socket_service_options{});
  segment_log_settings log;
  log.dir = documented.evidence.dir;
  CAF_CHECK(static_cast<const segment_log_settings&>(documented.evidence) == log);
  CAF_CHECK(share_of(documented.evidence).interval == log_share_limits{}.interval);
  CAF_CHECK(documented.cells.at(0).keepalive_window == cell_specification{}.keepalive_window);
  CAF_CHECK(documented.cells.at(0).on_agent_failure == cell_specification{}.on_agent_failure);
  const auto signing = configuration_in(enabling(is_compatible)).signing;
  CAF_CHECK(signing.checkpoint_interval == (host_sealing{nullptr, nullptr, 1}.checkpoint_interval()));
  const auto held = std::chrono::duration_cast<std::chrono::seconds>(log_share_limits{}.hold).count();
  CAF_CHECK_NOT_EQUAL(comment_above("cell_share").find(" held back for " + std::to_string(held) + " seconds,"),
                      std::string::npos);
}

// As a refused value is reported them: "(from 2 to 64)".
CAF_TEST(what_is_documented_as_a_limit_is_what_is_refused) {
  // Of what nobody reaches, nothing is said.
  const std::set<std::string> unreported{"0", "24h", "1024TiB", "4294967294"};
  std::size_t limits = 0;
  for (const auto& known : settings::known_keys()) {
    const auto dot = known.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string table = known.substr(0, dot);
    const std::string name = known.substr(dot + 1);
    std::smatch found;
    for (const char* absurd : {"-1", "\"1us\"", "\"1B\""}) {
      const std::string header = table == "cell" ? "[[cell]]" : table == "evidence" ? "" : "[" + table + "]";
      const std::string refused = error_in(smallest + header + "\n" + name + " = " + absurd + "\n");
      static const std::regex bounds{"from ([0-9A-Za-z]+) to ([0-9A-Za-z]+)"};
      if (std::regex_search(refused, found, bounds)) {
        const std::string comment = comment_above(name);
        for (const std::string& limit : {found.str(1), found.str(2)}) {
          if (!unreported.contains(limit) && comment.find(limit) == std::string::npos) {
            CAF_ERROR("config/telemetryd.toml does not say of " << known << " that its limit is " << limit);
          }
        }
        ++limits;
        break;
      }
    }
  }
  CAF_CHECK_GREATER(limits, 14u);
}

CAF_TEST(everything_can_be_enabled_at_once) {
  CAF_CHECK_EQUAL(error_in(enabling(is_compatible)), "no error");
  const auto signing = configuration_in(enabling(is_compatible)).signing;
  const signing_settings defaults;
  CAF_CHECK(signing.mode == defaults.mode);
  CAF_CHECK_EQUAL(signing.checkpoint_events, defaults.checkpoint_events);
  CAF_CHECK(signing.checkpoint_interval == defaults.checkpoint_interval);
}

CAF_TEST_FIXTURE_SCOPE_END()
