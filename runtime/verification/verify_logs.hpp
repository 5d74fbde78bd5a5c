#pragma once

#include <cstdint>
#include <filesystem>
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

using verification_outcome = std::variant<verification_report, std::string>;

/// Verifies whole logs, on `threads` threads. Null keys: no signature is looked at. The alternative is a sentence: what
/// could not be read.
verification_outcome verify_logs(const std::vector<log_file>& files, const key_list* keys,
                                 const verification_options& options, unsigned threads,
                                 const progress& on_progress = {});

/// The same of what `arguments` name (see find_log_files). A log whose host is at work may lose a segment to retention
/// after it was listed: then it is listed and read anew, some times.
verification_outcome verify_logs(const std::vector<std::filesystem::path>& arguments, const key_list* keys,
                                 const verification_options& options, unsigned threads,
                                 const progress& on_progress = {});

}  // namespace cellos::verification
