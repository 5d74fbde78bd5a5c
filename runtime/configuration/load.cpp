#include "runtime/configuration/load.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
// Included nowhere else. Link the shared library: the header-only form of 3.3.0 asserts on "[[[".
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <regex>
#include <system_error>
#include <tuple>

#include "messages/escaped_text.hpp"
#include "runtime/configuration/keys.hpp"
#include "runtime/configuration/syntax_guess.hpp"
#include "runtime/configuration/validation.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/text/nearest_name.hpp"

namespace cellos {

namespace {

using namespace settings;

/// Ten thousand cells take 1.2 MB and up.
constexpr std::size_t most_file_bytes = std::size_t{16} << 20;

place place_of(const toml::source_region& source) {
  return {std::max(source.begin.line, toml::source_index{1}), std::max(source.begin.column, toml::source_index{1})};
}

std::string_view type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a decimal number";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date:
    case toml::node_type::date_time: return "a date";
    case toml::node_type::time: return "a time of day";
    default: return "nothing";
  }
}

written_value value_of(const toml::node& node) {
  written_value value{type_of(node), std::nullopt, std::nullopt};
  if (const auto* text = node.as_string()) value.text = text->get();
  if (const auto* integer = node.as_integer()) value.integer = integer->get();
  if (const auto* flag = node.as_boolean()) value.flag = flag->get();
  if (const auto* array = node.as_array()) {
    std::vector<std::int64_t> integers;
    std::vector<std::string> texts;
    for (const toml::node& element : *array) {
      if (const auto* integer = element.as_integer()) integers.push_back(integer->get());
      if (const auto* text = element.as_string()) texts.push_back(text->get());
    }
    if (integers.size() == array->size()) value.integers = std::move(integers);
    if (texts.size() == array->size()) value.texts = std::move(texts);
  }
  return value;
}

/// The parser's own words.
std::string described(const toml::parse_error& error) {
  std::string text{error.description()};
  constexpr std::string_view line_break = "'\\n'";
  if (auto found = text.find(line_break); found != std::string::npos) {
    text.replace(found, line_break.size(), "the end of the line");
  }
  return escaped(text, 256);
}

std::string header_of(std::string_view section) {
  if (section == cell_section) return "[[cell]]";
  return section.empty() ? "the first table" : fmt::format("[{}]", section);
}

/// Where to write a key of `section` that is missing.
std::string where_to_write(std::string_view section) {
  return fmt::format("{} {}", section.empty() ? "above" : "under", header_of(section));
}

/// Where else the name is a key: people put keys below the wrong header.
std::optional<std::string> right_place_of(std::string_view name) {
  for (const auto& known : known_keys()) {
    auto dot = known.rfind('.');
    auto section = dot == std::string::npos ? std::string{} : known.substr(0, dot);
    if (name == std::string_view{known}.substr(dot + 1)) return where_to_write(section);
  }
  return std::nullopt;
}

/// `tables` and `keys` are the names that are known in the same place.
std::string remedy_for_unknown(std::string_view name, bool is_table, const std::vector<std::string_view>& tables,
                               const std::vector<std::string_view>& keys) {
  if (auto near = nearest_name(name, is_table ? tables : keys)) {
    return fmt::format("did you mean {}?", is_table ? header_of(*near) : in_quotes(*near));
  }
  if (auto place = right_place_of(name); place && !is_table) {
    return fmt::format("move {} {}", escaped(name), *place);
  }
  return fmt::format("remove it, known here are {}", fmt::join(is_table && !tables.empty() ? tables : keys, ", "));
}

/// Goes over a parsed file once and collects the configuration, every value's place and every error.
class loading {
 public:
  explicit loading(std::string_view origin) : origin_(origin) {}

  configuration_outcome run(const toml::table& root) {
    read_sections(root);
    read_cells(root);
    for (auto& [key, problem, remedy] : contradictions_of(result_, written_)) {
      auto found = written_.find(key);
      complain(found == written_.end() ? place{} : found->second, key, problem, remedy);
    }
    if (errors_.empty()) return std::move(result_);
    std::ranges::stable_sort(errors_, {}, [](const auto& error) { return std::tuple{error.line, error.column}; });
    return std::move(errors_);
  }

 private:
  void complain(place at, std::string_view key, std::string problem, std::string remedy) {
    errors_.push_back({origin_, at.line, at.column, std::string{key}, std::move(problem), std::move(remedy)});
  }

  void read_sections(const toml::table& root) {
    auto sections = sections_of(result_);
    std::vector<std::string_view> tables{cell_section};
    for (const auto& section : sections) {
      if (!section.name.empty() && section.name.find('.') == std::string_view::npos) tables.push_back(section.name);
    }
    for (const auto& section : sections) {
      if (section.name.empty()) {
        read_keys(root, "", "", section.keys, tables);
      } else {
        read_section(root, section, tables_in(section.name, sections));
      }
    }
  }

  static std::vector<std::string_view> tables_in(std::string_view outer, const std::vector<section>& sections) {
    std::vector<std::string_view> inner;
    for (const auto& section : sections) {
      const auto dot = section.name.find('.');
      if (dot != std::string_view::npos && section.name.substr(0, dot) == outer)
        inner.push_back(section.name.substr(dot + 1));
    }
    return inner;
  }

  static const toml::node* find_section(const toml::table& root, std::string_view name) {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return root.get(name);
    const auto* outer = root.get(name.substr(0, dot));
    const auto* table = outer != nullptr ? outer->as_table() : nullptr;
    return table != nullptr ? table->get(name.substr(dot + 1)) : nullptr;
  }

  /// `tables`: those in it.
  void read_section(const toml::table& root, const section& section, const std::vector<std::string_view>& tables) {
    static const toml::table empty;
    const auto* node = find_section(root, section.name);
    if (!node && section.need == presence::optional) return;
    const auto* table = node ? node->as_table() : &empty;
    if (table) {
      const auto is_inner = [&](std::string_view name) { return std::ranges::find(tables, name) != tables.end(); };
      // Written for the sake of a table in it.
      if (!table->empty() && std::ranges::all_of(*table, [&](const auto& each) { return is_inner(each.first.str()); }))
        return;
      return read_keys(*table, section.name, fmt::format("{}.", section.name), section.keys, tables);
    }
    complain(place_of(node->source()), section.name, fmt::format("is {}, not a table", type_of(*node)),
             fmt::format("write [{}] on a line of its own and its keys below", section.name));
  }

  void read_cells(const toml::table& root) {
    const auto* node = root.get(cell_section);
    if (!node) return;
    const auto* cells = node->as_array();
    if (!cells) {
      return complain(place_of(node->source()), cell_section,
                      fmt::format("is {}, not an array of tables", type_of(*node)),
                      "write [[cell]] with two brackets, once for each cell");
    }
    // Sized first: the keys hold references into it.
    result_.cells.resize(cells->size());
    for (std::size_t i = 0; i < cells->size(); ++i) {
      const auto& element = *cells->get(i);
      if (const auto* table = element.as_table()) {
        read_keys(*table, cell_section, cell_key(i, ""), keys_of(result_.cells[i]));
      } else {
        complain(place_of(element.source()), fmt::format("cell[{}]", i),
                 fmt::format("is {}, not a table", type_of(element)),
                 "write each cell as a table of its own, [[cell]]");
      }
    }
  }

  /// `prefix` makes a key's name full. `tables` are names in this table that somebody else reads.
  void read_keys(const toml::table& table, std::string_view section, const std::string& prefix,
                 const std::vector<key>& keys, const std::vector<std::string_view>& tables = {}) {
    for (const auto& key : keys) {
      if (const auto* node = table.get(key.name)) {
        read_value(*node, key, prefix + std::string{key.name});
      } else if (key.need == presence::required) {
        complain(place_of(table.source()), prefix + std::string{key.name}, "is missing",
                 fmt::format("write {} = {} {}", key.name, key.example, where_to_write(section)));
      }
    }
    std::vector<std::string_view> names;
    names.reserve(keys.size());
    for (const auto& key : keys) names.push_back(key.name);
    for (const auto& [name, node] : table) {
      auto is_name = [&name = name](std::string_view known) { return known == name.str(); };
      if (std::ranges::any_of(names, is_name) || std::ranges::any_of(tables, is_name)) continue;
      bool is_table = node.is_table() || node.is_array_of_tables();
      complain(place_of(name.source()), prefix + escaped(name.str()),
               is_table ? "is not a known table" : "is not a known key",
               remedy_for_unknown(name.str(), is_table, tables, names));
    }
  }

  void read_value(const toml::node& node, const key& key, const std::string& full_key) {
    auto at = place_of(node.source());
    auto complained = key.read(value_of(node));
    if (!complained) {
      written_.emplace(full_key, at);
      return;
    }
    auto& [problem, note, instead] = *complained;
    auto remedy = fmt::format("write {} = {}", key.name, instead.empty() ? key.example : instead);
    if (!note.empty()) remedy += fmt::format(" ({})", note);
    complain(at, full_key, std::move(problem), std::move(remedy));
  }

  std::string origin_;
  configuration result_;
  places written_;
  std::vector<configuration_error> errors_;
};

std::vector<configuration_error> one_error(std::string_view origin, place at, std::string key, std::string problem,
                                           std::string remedy) {
  return {{std::string{origin}, at.line, at.column, std::move(key), std::move(problem), std::move(remedy)}};
}

std::string cannot_be_read(int reason) {
  return fmt::format("cannot be read: {}", std::generic_category().message(reason));
}

std::string_view kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "a FIFO";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

/// Empty on success. Waits for nobody: what is no regular file may never give its bytes, or never end.
std::string read_text(const std::filesystem::path& path, std::string& text) {
  const file_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file) return cannot_be_read(errno);
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return cannot_be_read(errno);
  if (S_ISDIR(found.st_mode)) return cannot_be_read(EISDIR);
  if (!S_ISREG(found.st_mode)) return fmt::format("is {}, not a regular file", kind_of(found.st_mode));
  if (found.st_size > off_t{most_file_bytes}) return cannot_be_read(EFBIG);
  // It may grow, and files of the kernel say that they have nothing.
  text.resize(most_file_bytes + 1);
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_be_read(errno);
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  text.resize(length);
  text.shrink_to_fit();
  return length > most_file_bytes ? cannot_be_read(EFBIG) : "";
}

configuration_outcome unreadable(const std::filesystem::path& path, const std::string& problem) {
  return one_error(
      path.string(), {}, "(file)", problem,
      fmt::format("name a readable TOML file of at most {} MiB with --config FILE", most_file_bytes >> 20));
}

}  // namespace

configuration_outcome parse_configuration(std::string_view text, std::string_view origin_name) {
  try {
    return loading{origin_name}.run(toml::parse(text));
  } catch (const toml::parse_error& error) {
    auto at = place_of(error.source());
    auto [key, remedy] = guess_at(text, at.line, error.description());
    return one_error(origin_name, at, key, fmt::format("not TOML: {}", described(error)), remedy);
  }
}

configuration_outcome load_configuration(const std::filesystem::path& path, std::string& text) {
  std::string problem = read_text(path, text);
  if (!problem.empty()) return unreadable(path, problem);
  return parse_configuration(text, path.string());
}

configuration_outcome load_configuration(const std::filesystem::path& path) {
  std::string text;
  return load_configuration(path, text);
}

bool asks_for_json_log(std::string_view text) {
  // Line by line: of a file that is not TOML too.
  static const std::regex wanted{R"(^[ \t]*format[ \t]*=[ \t]*["']json["'][ \t\r]*(#.*)?$)"};
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    constexpr std::size_t longest_looked_at = 256;
    if (line.size() <= longest_looked_at && std::regex_match(line.begin(), line.end(), wanted)) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

}  // namespace cellos
