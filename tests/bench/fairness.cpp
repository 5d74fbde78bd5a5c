// What one cell's misbehaviour costs the others: 199 cells that send 10 frames a second each, undisturbed and beside a
// flood, a log reader that stalls, an actor that hangs, and a storm of reconnects. In one process, with real sockets, a
// real log and real threads.

#include <sys/socket.h>
#include <sys/un.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "messages/timestamp.hpp"
#include "runtime/exit_code.hpp"
#include "runtime/file_descriptor.hpp"
#include "tests/bench/support/ingest_report.hpp"
#include "tests/soak/host_in_process.hpp"
#include "tests/soak/numbered_frames.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

using namespace cellos;
using namespace cellos::soak;
using namespace std::chrono_literals;
using milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t quiet_cells = 199;
constexpr std::uint64_t frames_a_second = 10;
/// The cell that misbehaves.
constexpr std::string_view loud = "loud";
constexpr int storm_connections = 1000;

struct bench_options {
  std::chrono::seconds lasting{10};
  std::size_t threads = 0;
};

double quantile(std::vector<double>& values, double which) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(which * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

/// From when the bytes were read until the line was in the log, of every cell but the loud one.
class append_delays {
 public:
  void take(std::string_view lines) {
    const auto now = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    const std::lock_guard lock{mutex_};
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(line.size() + 1);
      if (numbered_frames::number_in(line) == 0) continue;
      if (line.find(R"("subject":"urn:cellos:cell:loud")") != std::string_view::npos) {
        ++loud_;
        continue;
      }
      constexpr std::string_view key = R"(","time":")";
      const std::size_t at = line.find(key);
      const auto received = parse_timestamp(line.substr(at + key.size(), 30));
      if (received) delays_.push_back(milliseconds{now - *received}.count());
    }
  }

  std::vector<double> taken() {
    const std::lock_guard lock{mutex_};
    return std::exchange(delays_, {});
  }
  std::uint64_t loud() const { return loud_; }

 private:
  std::mutex mutex_;
  std::vector<double> delays_;
  std::atomic<std::uint64_t> loud_{0};
};

file_descriptor connected(const std::string& path, int flags = 0) {
  file_descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd = {};
  return fd;
}

/// All quiet cells' guests, on one thread, each at its own moment of the period.
class quiet_guests {
 public:
  explicit quiet_guests(const std::vector<std::string>& sockets) {
    for (const std::string& path : sockets) {
      connections_.push_back(connected(path));
      if (!connections_.back()) throw std::runtime_error("cannot connect to " + path);
    }
  }

  std::uint64_t send_for(std::chrono::seconds lasting) {
    const std::uint64_t all = static_cast<std::uint64_t>(lasting.count()) * frames_a_second * connections_.size();
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::uint8_t> frame;
    for (std::uint64_t i = 0; i < all; ++i) {
      std::this_thread::sleep_until(began + std::chrono::nanoseconds{lasting} * i / all);
      frame.clear();
      frames_.append(frame, i / connections_.size() + 1);
      const int fd = connections_[i % connections_.size()].get();
      if (::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) {
        throw std::runtime_error("a quiet cell was hung up on");
      }
    }
    return all;
  }

 private:
  numbered_frames frames_;
  std::vector<file_descriptor> connections_;
};

/// How long connect() takes, again and again, on any cell.
class connect_prober {
 public:
  explicit connect_prober(std::vector<std::string> sockets)
      : sockets_(std::move(sockets)), thread_([this] { run(); }) {}
  std::vector<double> finish() {
    stopping_ = true;
    thread_.join();
    return std::move(took_);
  }

 private:
  void run() {
    std::minstd_rand random{1};
    while (!stopping_) {
      const auto began = std::chrono::steady_clock::now();
      const file_descriptor fd = connected(sockets_[random() % sockets_.size()]);
      took_.push_back(milliseconds{std::chrono::steady_clock::now() - began}.count());
      std::this_thread::sleep_for(5ms);
    }
  }

  const std::vector<std::string> sockets_;
  std::vector<double> took_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// What is wrong while the quiet cells are measured; undone by its destructor.
using disturbance = std::shared_ptr<void>;

class stage {
 public:
  explicit stage(const bench_options& options) : host_(host_options(options)) {
    for (std::size_t i = 0; i < quiet_cells; ++i) sockets_.push_back(admit("quiet-" + std::to_string(i)));
    loud_socket_ = admit(std::string{loud});
  }

  const std::string& loud_socket() const { return loud_socket_; }
  std::filesystem::path evidence() const { return dir_ / "evidence"; }
  void hang_the_loud_decoder(bool hang) { hanging_ = hang; }

  void measure(const char* name, const bench_options& options, const std::function<disturbance(stage&)>& disturb) {
    delays_.taken();
    const std::uint64_t loud_before = delays_.loud();
    std::vector<double> delays;
    std::vector<double> connects;
    std::uint64_t sent = 0;
    bool told_hung = false;
    {
      quiet_guests guests{sockets_};
      const disturbance disturbed = disturb(*this);
      std::vector<std::string> all = sockets_;
      all.push_back(loud_socket_);
      connect_prober prober{all};
      sent = guests.send_for(options.lasting);
      // What comes later than this is late.
      std::this_thread::sleep_for(500ms);
      delays = delays_.taken();
      connects = prober.finish();
      for (const std::string& line : host_.operator_lines()) {
        told_hung = told_hung || line.find("actor_hung") != std::string::npos;
      }
    }
    std::printf("| %s | %.1f | %.2f | %.2f | %.1f | %.2f | %.1f | %s |\n", name,
                100.0 * static_cast<double>(delays.size()) / static_cast<double>(sent), quantile(delays, 0.5),
                quantile(delays, 0.99), quantile(delays, 1), quantile(connects, 0.99), quantile(connects, 1),
                told_hung ? "yes" : "no");
    std::fprintf(stderr, "%s: %llu frames of the loud cell appended meanwhile\n", name,
                 static_cast<unsigned long long>(delays_.loud() - loud_before));
    std::fflush(stdout);
  }

 private:
  host_in_process::options host_options(const bench_options& options) {
    host_in_process::options host;
    host.log.dir = dir_ / "evidence";
    host.log.max_bytes = std::uint64_t{1} << 30;
    if (options.threads != 0) host.scheduler_threads = options.threads;
    host.watching = {2s, 200ms};
    host.appended = [this](std::string_view lines) { delays_.take(lines); };
    host.decode = [this](chunk_ptr chunk, host_stamp_ptr run) -> batch {
      while (hanging_ && run->cell_id == loud) std::this_thread::sleep_for(1ms);
      return decode_chunk(std::move(chunk), std::move(run));
    };
    return host;
  }

  std::string admit(const std::string& id) {
    cell_specification cell;
    cell.cell_id = id;
    cell.run_id = "run-1";
    cell.vsock_uds_base = dir_ / id;
    cell.spec_signature_hash = "sha256:" + id;
    cell.keepalive_window = 1h;
    if (!host_.admit(cell)) throw std::runtime_error(id + " was not admitted");
    return cell.socket_path();
  }

  test::temporary_directory dir_;
  append_delays delays_;
  std::atomic<bool> hanging_{false};
  host_in_process host_;
  std::vector<std::string> sockets_;
  std::string loud_socket_;
};

disturbance nothing(stage&) { return nullptr; }

disturbance flood(stage& on) {
  return std::make_shared<numbered_guest>(numbered_guest::plan{on.loud_socket(), ~std::uint64_t{0} >> 24, 0, 0});
}

/// `telemetryctl tail` that is stopped in the middle of reading.
disturbance stalled_reader(stage& on) {
  auto reader = std::make_shared<test::process>(
      test::command{.program = test::program_path("cellos-telemetryctl"),
                    .arguments = {"tail", "--follow", "--json", "--evidence", on.evidence().native()}});
  reader->freeze();
  return reader;
}

disturbance hung_decoder(stage& on) {
  on.hang_the_loud_decoder(true);
  auto guest = std::make_shared<numbered_guest>(numbered_guest::plan{on.loud_socket(), 1'000'000, 10, 0});
  return {guest.get(), [guest, &on](void*) mutable {
            on.hang_the_loud_decoder(false);
            guest->stop();
          }};
}

/// As clones of one snapshot do: all at once, and again.
class reconnect_storm {
 public:
  explicit reconnect_storm(std::string socket) : socket_(std::move(socket)), thread_([this] { run(); }) {}
  ~reconnect_storm() {
    stopping_ = true;
    thread_.join();
  }
  reconnect_storm(const reconnect_storm&) = delete;
  reconnect_storm& operator=(const reconnect_storm&) = delete;

 private:
  void run() {
    while (!stopping_) {
      std::vector<file_descriptor> all;
      for (int i = 0; i < storm_connections; ++i) all.push_back(connected(socket_, SOCK_NONBLOCK));
      std::this_thread::sleep_for(200ms);
    }
  }

  const std::string socket_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

disturbance storm(stage& on) { return std::make_shared<reconnect_storm>(on.loud_socket()); }

void run(const bench_options& options) {
  stage on{options};
  std::printf(
      "| beside | appended in time, %% | receive to append, ms: p50 | p99 | max | connect(), ms: p99 | max | "
      "actor_hung "
      "told |\n|---|---|---|---|---|---|---|---|\n");
  on.measure("nothing", options, nothing);
  on.measure("a flood", options, flood);
  on.measure("a stalled reader and a flood", options, [](stage& s) {
    return std::make_shared<std::pair<disturbance, disturbance>>(stalled_reader(s), flood(s));
  });
  on.measure("a storm of 1,000 reconnects, five times a second", options, storm);
  on.measure("a hung DECODER", options, hung_decoder);
  std::printf("\n%zu cells at %llu frames/s each, %lld s a line; %s\n", quiet_cells,
              static_cast<unsigned long long>(frames_a_second), static_cast<long long>(options.lasting.count()),
              bench::this_machine().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"What one cell's misbehaviour costs the others"};
  bench_options options;
  std::uint32_t lasting = 10;
  app.add_option("--seconds", lasting, "How long each is measured")->check(CLI::Range(1, 600))->capture_default_str();
  app.add_option("--threads", options.threads, "Threads that run actors; 0: as the daemon decides");
  CLI11_PARSE(app, argc, argv);
  options.lasting = std::chrono::seconds{lasting};
  try {
    run(options);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench fairness: %s\n", problem.what());
    return exit_unavailable;
  }
  return exit_success;
}
