#include "runtime/daemon/boot_list.hpp"

#include <exception>
#include <latch>
#include <system_error>
#include <thread>

namespace cellos {

namespace {

std::string outcome_of(const boot_step& step) {
  try {
    return step.boot();
  } catch (const std::system_error& failed) {
    // What std::thread throws.
    if (failed.code() == std::errc::resource_unavailable_try_again) return thread_shortage();
    return failed.what();
  } catch (const std::exception& failed) {
    return failed.what();
  }
}

}  // namespace

boot_refusal run_boot_list(const std::vector<boot_step>& steps, const std::function<void(const boot_refusal&)>& refuse,
                           const std::function<void()>& serve) {
  std::size_t booted = 0;
  boot_refusal refusal;
  for (; booted < steps.size(); ++booted) {
    std::string cause = outcome_of(steps[booted]);
    if (cause.empty()) continue;
    refusal = {steps[booted].name, std::move(cause)};
    break;
  }
  if (refusal.cause.empty()) {
    serve();
  } else {
    refuse(refusal);
  }
  while (booted-- > 0) steps[booted].teardown();
  return refusal;
}

std::string thread_shortage() {
  return "the system allows this user or service no further thread; raise TasksMax= and LimitNPROC= of the unit "
         "(ulimit "
         "-u elsewhere), or set [scheduler] threads to fewer";
}

bool threads_are_allowed(std::size_t count) {
  std::latch all_tried{1};
  std::vector<std::thread> started;
  started.reserve(count);
  bool allowed = true;
  try {
    while (started.size() < count) started.emplace_back([&all_tried] { all_tried.wait(); });
  } catch (const std::system_error&) {
    allowed = false;
  }
  all_tried.count_down();
  for (std::thread& each : started) each.join();
  return allowed;
}

}  // namespace cellos
