#include "runtime/verification/report.hpp"

namespace cellos::verification {

void verification_report::add(finding what) {
  ++findings_by_cause[static_cast<std::size_t>(what.cause)];
  if (findings.size() < most_findings) {
    findings.push_back(std::move(what));
  } else {
    ++findings_left_out;
  }
}

}  // namespace cellos::verification
