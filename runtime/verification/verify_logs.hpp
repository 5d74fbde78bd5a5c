#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/signing/key_list.hpp"
#include "runtime/verification/log_files.hpp"
#include "runtime/verification/report.hpp"

namespace cellos::verification {

/// How much was read, of how much.
using progress = std::function<void(std::uint64_t bytes, std::uint64_t total)>;

/// Judges whole logs, on as many threads as told. Null keys: no signature is looked at. The alternative is a sentence:
/// what could not be read.
std::variant<verification_report, std::string> verify_logs(const std::vector<log_file>& files, const key_list* keys,
                                                           const verification_options& options, unsigned threads,
                                                           const progress& tell = {});

}  // namespace cellos::verification
