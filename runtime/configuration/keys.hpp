#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/configuration/configuration.hpp"
#include "runtime/configuration/readers.hpp"

/// The list of everything a configuration file may say; reading, "did you mean" and the documentation's test go by it.
namespace cellos::settings {

enum class presence { required, optional };

struct key {
  std::string_view name;
  presence need;
  /// A value as it could stand in the file; what remedies suggest.
  std::string_view example;
  reader read;
};

/// A table of the file.
struct section {
  /// Empty for the keys above the first table; `forward.http` is the table `http` in the table `forward`.
  std::string_view name;
  std::vector<key> keys;
  /// Optional: nothing is missing from a table that is not there.
  presence need = presence::required;
};

/// The array of tables that each describe a cell.
inline constexpr std::string_view cell_section = "cell";

/// Everything but the cells, reading into `into`.
std::vector<section> sections_of(configuration& into);

/// One cell, reading into `into`.
std::vector<key> keys_of(cell_specification& into);

/// Every key in the form `host_id`, `evidence.dir`, `cell.id`.
std::vector<std::string> known_keys();

}  // namespace cellos::settings
