#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/configuration/configuration.hpp"

/// What no key shows alone: how the values of a whole file go together.
namespace cellos::settings {

/// Where something stands in the file; both from 1.
struct place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

/// Every accepted value's place, by its full key (`cell[1].id`).
using places = std::map<std::string, place, std::less<>>;

/// A contradiction, reported at the later of the keys that cause it.
struct contradiction {
  std::string key;
  std::string problem;
  std::string remedy;
};

/// The full key of a cell's `name`: `cell[index].name`.
std::string cell_key(std::size_t index, std::string_view name);

/// Two cells with one id, two sockets with one path, segments larger than the log, a half-configured key.
std::vector<contradiction> contradictions_of(const configuration& config, const places& written);

}  // namespace cellos::settings
