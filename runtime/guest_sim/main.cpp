#include <csignal>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "runtime/guest_sim/sent_report.hpp"
#include "runtime/guest_sim/simulated_guest.hpp"
#include "runtime/guest_sim/simulation_options.hpp"
#include "runtime/guest_sim/stop_signal.hpp"

namespace {

using namespace cellos;
using namespace cellos::guest_sim;

/// What was sent is in `guest`, however it ends.
exit_code play(simulated_guest& guest) {
  try {
    guest.run();
    return exit_success;
  } catch (const connection_failure& failure) {
    std::cerr << "cellos-guest-sim: " << failure.what() << '\n';
    return failure.what_failed == connection_failure::kind::unreachable ? exit_unavailable : exit_failure_found;
  }
}

std::string counted(std::uint64_t number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

void summarize(const simulated_guest& guest, double seconds) {
  const auto& sent = guest.sent();
  std::cerr << "cellos-guest-sim: " << guest.options().what->name << ": " << counted(sent.frames, "frame") << ", "
            << counted(sent.bytes, "byte") << ", " << counted(sent.connections, "connection") << ", " << std::fixed
            << std::setprecision(3) << seconds << " s\n";
}

exit_code simulate(const simulation_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto stop = stop_signal::from_process();
  simulated_guest guest{options, stop};
  const auto code = play(guest);
  const auto elapsed = guest.elapsed();
  std::cout << sent_report(options, guest.sent(), elapsed).dump() << std::endl;
  if (!options.quiet) summarize(guest, elapsed.count());
  return std::cout ? code : exit_failure_found;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto parsed = parse_command_line(arguments, std::cout, std::cerr);
    if (const auto* code = std::get_if<exit_code>(&parsed)) return *code;
    return simulate(std::get<simulation_options>(parsed));
  } catch (const std::exception& problem) {
    std::cerr << "cellos-guest-sim: " << problem.what() << '\n';
    return exit_failure_found;
  }
}
