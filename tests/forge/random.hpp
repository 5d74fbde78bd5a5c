#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

namespace cellos::forge {

/// Its draws are the same on every machine, which the standard distributions' are not.
using randomness = std::mt19937_64;

/// Throws `std::logic_error` where there is nothing to choose from: a rewrite has to have looked.
inline std::uint64_t below(randomness& random, std::uint64_t limit) {
  if (limit == 0) throw std::logic_error("a choice among none");
  return random() % limit;
}
inline std::uint64_t between(randomness& random, std::uint64_t least, std::uint64_t most) {
  return least + below(random, most - least + 1);
}
/// True once in `n`.
inline bool one_in(randomness& random, std::uint64_t n) { return below(random, n) == 0; }

template <class T>
const T& any_of(randomness& random, const std::vector<T>& from) {
  return from[below(random, from.size())];
}
/// A copy: what it is taken from goes.
template <class T>
T any_of(randomness& random, std::vector<T>&& from) {
  return std::move(from[below(random, from.size())]);
}

}  // namespace cellos::forge
