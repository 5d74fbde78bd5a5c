#include "runtime/daemon/operator_log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <mutex>
#include <utility>

namespace cellos {

namespace {

class queued_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit queued_sink(line_queue& queue) : queue_(queue) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    queue_.add(fmt::to_string(formatted));
  }
  void flush_() override {}

  line_queue& queue_;
};

std::shared_ptr<spdlog::logger> logger_to(line_queue& queue, const log_configuration& settings) {
  auto logger = std::make_shared<spdlog::logger>("telemetryd", std::make_shared<queued_sink>(queue));
  logger->set_level(settings.level);
  return logger;
}

}  // namespace

operator_log::operator_log(const log_configuration& settings, int descriptor, line_queue::options queue)
    : format_(settings.format),
      // A line was written before any is lost, so the events are there by then.
      queue_(descriptor, queue, [this](std::uint64_t lines) { events_.log_lines_lost(lines); }),
      logger_(logger_to(queue_, settings)),
      events_(logger_, format_) {}

operator_log::~operator_log() { queue_.close(); }

void operator_log::refuse_start(const std::string& step, const std::string& cause, const std::string& sentence) {
  if (format_ == log_format::json) return events_.start_refused(step, cause);
  queue_.add(sentence + '\n');
}

void operator_log::refuse_start_unqueued(const log_configuration& settings, const std::string& step,
                                         const std::string& cause, const std::string& sentence) {
  if (settings.format == log_format::text) {
    std::fprintf(stderr, "%s\n", sentence.c_str());
    return;
  }
  auto logger = std::make_shared<spdlog::logger>("telemetryd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  operator_events{std::move(logger), log_format::json}.start_refused(step, cause);
}

}  // namespace cellos
